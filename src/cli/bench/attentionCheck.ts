/**
 * Whether the results of a case are right: a few query rows and a few keys of one head, recomputed by the reference.
 * A row needs all keys and gives out, lse, statistics and dq; a key needs all rows and gives dk and dv.
 */

import { blockMapOf, pairsOf } from '../../attention/blockOperands.js';
import type { Range } from '../../attention/peek.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { tensor } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { expand, reshape, slice } from '../../tensor/views.js';
import {
  type AttentionProblem,
  type BackwardOutputs,
  backwardOutputs,
  type ForwardOutputs,
  forwardOutputs,
  runBackward,
  runForward,
} from './attentionProblem.js';
import { expectClose } from './expectClose.js';

const reference = createReferenceBackend();

/** Half-open ranges of queries and keys. */
interface Part {
  readonly rows: readonly [number, number];
  readonly keys: readonly [number, number];
}

/** Checks everything of the first, a middle and the last row, and sums. Throws StateError when something is wrong. */
export function checkForward(label: string, problem: AttentionProblem, got: ForwardOutputs): void {
  const { L, S } = problem.sizes;
  const heads = headsOfGroup(problem);
  for (const row of someOf(L)) {
    const part: Part = { rows: [row, row + 1], keys: [0, S] };
    const small = partOf(problem, part);
    const truth = forwardOutputs(small, got.received ? 'full' : got.statistics ? 'default' : 'none');
    runForward(small, truth);
    for (const name of ['out', 'lse', 'statistics', 'topWeights', 'topKeys', 'zeroKeys'] as const) {
      const [mine, theirs] = [got[name], truth[name]];
      const axis = name === 'statistics' ? 1 : 0;
      if (mine && theirs)
        expectClose(`${label}: ${name} of row ${row}`, lastHead(mine, part.rows, { heads, axis }), theirs);
    }
  }
  checkSums(label, problem, got);
}

/** What a head's keys received, and the rows of its map, add up to the number of its rows, and to 1 for each bin. */
function checkSums(label: string, { sizes: { L } }: AttentionProblem, { received, tiles }: ForwardOutputs): void {
  for (const [name, sums, wanted] of [
    ['received', received, L],
    ['tiles', tiles, tiles?.shape[2] ?? 0],
  ] as const) {
    if (!sums) continue;
    const values = lastHead(sums, [0, sums.shape[2] as number]);
    const total = Array.from(reshape(values, [values.size]).toArray()).reduce((a, b) => a + b, 0);
    expectClose(
      `${label}: sum of ${name}`,
      tensor([total], [1], { backend: reference }),
      tensor([wanted], [1], { backend: reference }),
    );
  }
}

/** Checks dq of some rows, dk and dv of some keys. Throws StateError when they are wrong. */
export function checkBackward(
  label: string,
  problem: AttentionProblem,
  forward: ForwardOutputs & { readonly dout: Tensor },
  got: BackwardOutputs,
): void {
  const { L, S } = problem.sizes;
  for (const row of someOf(L)) {
    const part: Part = { rows: [row, row + 1], keys: [0, S] };
    const { dq } = gradientsOf(problem, forward, part);
    expectClose(`${label}: dq of row ${row}`, lastHead(got.dq, part.rows, { heads: headsOfGroup(problem) }), dq);
  }
  for (const key of someOf(S)) {
    const part: Part = { rows: [0, L], keys: [key, key + 1] };
    const { dk, dv } = gradientsOf(problem, forward, part);
    expectClose(`${label}: dk of key ${key}`, lastHead(got.dk, part.keys), dk);
    expectClose(`${label}: dv of key ${key}`, lastHead(got.dv, part.keys), dv);
  }
}

function gradientsOf(
  problem: AttentionProblem,
  { out, lse, dout }: ForwardOutputs & { readonly dout: Tensor },
  part: Part,
): BackwardOutputs {
  const small = partOf(problem, part);
  const gradients = backwardOutputs(small);
  const heads = headsOfGroup(problem);
  const [ours, sums, seed] = [out, lse, dout].map((whole) => moved(lastHead(whole, part.rows, { heads })));
  runBackward(small, { out: ours as Tensor, lse: sums as Tensor, dout: seed as Tensor }, gradients);
  return gradients;
}

function someOf(count: number): readonly number[] {
  return [...new Set([0, Math.floor(count / 3), count - 1])];
}

function headsOfGroup({ sizes: { H, G } }: AttentionProblem): number {
  return H / G;
}

/** The part of the problem that the last sequence and the last key head see, on the reference backend. */
function partOf(problem: AttentionProblem, { rows, keys }: Part): AttentionProblem {
  const { program, sizes, inputs, scalars, pairs } = problem;
  const heads = headsOfGroup(problem);
  const cells = (whole: Tensor | undefined): Tensor | undefined =>
    whole && moved(slice(lastHead(whole, rows, { heads }), 3, ...keys));
  const formula = program?.operands(moved(lastHead(inputs.q, [0, 0])), { h: sizes.H - heads, k: keys[0] });
  const lengths = inputs.lengths?.toArray().at(-1);
  const left = lengths === undefined ? undefined : Math.min(Math.max(lengths - keys[0], 0), keys[1] - keys[0]);
  return {
    sizes: { ...sizes, B: 1, H: heads, G: 1, L: rows[1] - rows[0], S: keys[1] - keys[0] },
    inputs: {
      q: moved(lastHead(inputs.q, rows, { heads })),
      k: moved(lastHead(inputs.k, keys)),
      v: moved(lastHead(inputs.v, keys)),
      program: formula?.program,
      captured: formula?.captured && moved(formula.captured),
      mask: cells(inputs.mask) ?? blockPairs(problem, { rows, keys }),
      bias: cells(inputs.bias),
      lengths: left === undefined ? undefined : tensor(Int32Array.of(left), [1], { backend: reference }),
    },
    scalars: { ...scalars, offset: scalars.offset + rows[0] - keys[0] },
    program,
    pairs,
  };
}

/** The pairs of the last heads that a map of blocks allows; undefined without one. */
function blockPairs(problem: AttentionProblem, { rows, keys }: Part): Tensor | undefined {
  const { mask, sizes, inputs } = problem;
  const map = blockMapOf(mask, { ...sizes, offset: 0 });
  const heads = { start: sizes.H - headsOfGroup(problem), end: sizes.H };
  const [of, columns] = [rows, keys].map(([start, end]) => ({ start, end })) as [Range, Range];
  const pairs = map && moved(pairsOf(map, { heads, rows: of, columns }, inputs.q));
  return pairs && expand(pairs, [1, heads.end - heads.start, rows[1] - rows[0], keys[1] - keys[0]]);
}

/** `[..., B, H, rows, ...]` narrowed to the last sequence, the last heads and a range of rows. */
function lastHead(whole: Tensor, rows: readonly [number, number], { axis = 0, heads = 1 } = {}): Tensor {
  const [B, H] = [whole.shape[axis] as number, whole.shape[axis + 1] as number];
  const head = slice(slice(whole, axis, B - 1, B), axis + 1, H - heads, H);
  return slice(head, axis + 2, ...rows);
}

function moved(x: Tensor): Tensor {
  return tensor(x.toArray(), x.shape, { dtype: x.dtype, backend: reference });
}
