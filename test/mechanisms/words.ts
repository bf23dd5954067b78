/** One vector for a whole sequence, by its formulas: word-level attention and pooling, as lines of the table. */

import { type Lengths, lastPool, maxPool, meanPool, weighSequence } from '../../src/attention/index.js';
import type { Backend } from '../../src/backend/contract.js';
import { type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, type Numbers, normals } from './agree.js';
import { type Mechanism, type Sizes, softmaxRow } from './mechanism.js';

/** Valid words: all of the first sentence, one of the second. */
const lengthsOf = (S: number): readonly [number, number] => [S, 1];

/** A column of x [B, S, Dv] over the valid words, for every b and feature: [B, Dv]. */
function overWords(x: Numbers, { S, Dv }: Sizes, of: (column: readonly number[], b: number) => number): number[] {
  return lengthsOf(S).flatMap((length, b) =>
    Array.from({ length: Dv }, (_, e) =>
      of(
        Array.from({ length }, (_, j) => x[(b * S + j) * Dv + e] as number),
        b,
      ),
    ),
  );
}

function pooling(
  name: string,
  use: string,
  pool: (x: Tensor, lengths: Lengths) => Tensor,
  of: (column: readonly number[]) => number,
): Mechanism {
  return {
    ...{ name, use, cost: 'O(S) time, no parameters', paper: 'Collobert et al. 2011' },
    agreement: (sizes) => ({
      inputs: [[2, sizes.S, sizes.Dv]],
      run: ([x]) => pool(x as Tensor, lengthsOf(sizes.S)),
      formula: ([x]) => overWords(x as Numbers, sizes, of),
    }),
  };
}

const mean = (column: readonly number[]): number => column.reduce((a, b) => a + b) / column.length;

export const words: readonly Mechanism[] = [
  {
    name: 'word-level attention',
    use: 'One distribution for a whole sentence, to classify it or to compare with self-attention; additive, dot and general scores.',
    cost: 'O(S) time',
    paper: 'Bahdanau et al. 2015; Luong et al. 2015',
    agreement: (sizes) => {
      const { S, D, Dv } = sizes;
      return {
        inputs: [[2, D], [2, S, D], [2, S, Dv]], // biome-ignore format: one line
        run: ([q, k, x]) => weighSequence(q as Tensor, k as Tensor, x as Tensor, { lengths: lengthsOf(S) }).out,
        formula: ([q, k, x]) => {
          const p = lengthsOf(S).map((length, b) => softmaxRow(scores(q as Numbers, k as Numbers, b, length, sizes)));
          return overWords(x as Numbers, sizes, (column, b) =>
            column.reduce((sum, value, j) => sum + (p[b]?.[j] as number) * value, 0),
          );
        },
      };
    },
    record: checkRecord,
  },
  pooling('mean pooling', 'The baseline of every classifier.', (x, lengths) => meanPool(x, { lengths }).out, mean),
  pooling('max pooling', 'Whether a feature occurs at all.', maxPool, (column) => Math.max(...column)),
  pooling('last pooling', 'Causal models, whose last position has seen all.', lastPool, (column) => column.at(-1) ?? 0),
];

function scores(q: Numbers, k: Numbers, b: number, length: number, { S, D }: Sizes): readonly number[] {
  return Array.from({ length }, (_, j) => {
    let total = 0;
    for (let d = 0; d < D; d++) total += (q[b * D + d] as number) * (k[(b * S + j) * D + d] as number);
    return total;
  });
}

function checkRecord(backend: Backend): void {
  const sizes = { B: 2, H: 1, G: 1, L: 1, S: 4, D: 3, Dv: 3 };
  const [q, k] = [normals(6, 1), normals(24, 2)];
  const like = { backend, dtype: 'f32' } as const;
  const keys = tensor(k, [2, 4, 3], like);
  const { record } = weighSequence(tensor(q, [2, 3], like), keys, keys, {
    lengths: lengthsOf(4),
    record: { rows: 'all' },
  });
  const wanted = lengthsOf(4).flatMap((length, b) => {
    const row = softmaxRow(scores(q, k, b, length, sizes));
    return [...row, ...new Array<number>(4 - length).fill(0)];
  });
  expectClose(record?.read().weights?.values ?? [], wanted, 1e-6, 'weights');
}
