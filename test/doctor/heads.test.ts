/** Importance against finite differences of a head's gate, pruning against leaving the head out, roles, relevance. */

import { beforeAll, describe, expect, it } from 'vitest';
import { attention } from '../../src/attention/attention.js';
import { computeAttentionWeights } from '../../src/attention/explicit.js';
import { causal } from '../../src/attention/mask.js';
import { attentionRelevance, gradientRollout, type RelevanceSource } from '../../src/attention/relevance.js';
import { loadBackend } from '../../src/backend/registry.js';
import { RandomStream } from '../../src/core/random.js';
import { repeatScores, roleOf } from '../../src/monitor/doctor/roles.js';
import { inference } from '../../src/nn/context.js';
import { headImportance } from '../../src/tasks/headImportance.js';
import { pruneHead } from '../../src/tasks/pruneHeads.js';
import type { Probe } from '../../src/tasks/task.js';
import { normal, setBackend, tensor } from '../../src/tensor/create.js';
import { noGrad } from '../../src/tensor/recording.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { healthy } from './diseases.js';
import { batchOf, changeHead, look, lossOf, type Patient } from './patient.js';

beforeAll(async () => setBackend(await loadBackend()));

const path = 'blocks.0.attention';

function probeOf(model: Patient, rows: number): () => Probe {
  return () => {
    const batch = batchOf(new RandomStream(5), rows);
    return { examples: rows, forward: (context) => lossOf(model, batch, context), expected: () => ({ causal: true }) };
  };
}

/** The summed loss of one example with the values of a head scaled, which scales its output. */
function lossWith(head: number, factor: number): number {
  const model = healthy(1);
  const { v } = (model.blocks[0] as Patient['blocks'][number]).attention;
  for (const parameter of [v.weight, v.bias as Tensor]) changeHead(parameter, head, (value) => value * factor);
  const { loss, tokens } = noGrad(() => probeOf(model, 1)().forward(inference()));
  return loss.item() * tokens;
}

describe('headImportance', () => {
  it('is the derivative of the loss by a gate behind the head', () => {
    const model = healthy(1);
    const found = headImportance(model, [probeOf(model, 1)]).filter((head) => head.path === path);
    const step = 0.01;
    const slopes = [0, 1, 2, 3].map((head) =>
      Math.abs((lossWith(head, 1 + step) - lossWith(head, 1 - step)) / (2 * step)),
    );
    const norm = Math.hypot(...slopes);
    for (const { head, importance } of found) expect(importance).toBeCloseTo((slopes[head] ?? 0) / norm, 3);
    const inOrder = found.map(({ importance }) => importance);
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
  });

  it('is 0 for a head that gives nothing, and leaves no gradient', () => {
    const model = healthy(1);
    pruneHead(model, path, 2);
    expect(headImportance(model, [probeOf(model, 8)])[0]).toEqual({ path, head: 2, importance: 0 });
    expect([...model.parameters().values()].filter(({ grad }) => grad !== undefined)).toEqual([]);
  });
});

describe('pruneHead', () => {
  it('gives what the model gives with the values of that head at 0', () => {
    const model = healthy(1);
    pruneHead(model, path, 2);
    const { loss, tokens } = noGrad(() => probeOf(model, 1)().forward(inference()));
    const bare = healthy(1);
    const { v } = (bare.blocks[0] as Patient['blocks'][number]).attention;
    for (const parameter of [v.weight, v.bias as Tensor]) changeHead(parameter, 2, () => 0);
    const expected = noGrad(() => probeOf(bare, 1)().forward(inference()));
    expect(loss.item() * tokens).toBeCloseTo(expected.loss.item() * tokens, 5);
  });

  it('names what it does not know', () => {
    expect(() => pruneHead(healthy(1), 'blocks.7', 0)).toThrow(/expected one of blocks\.0\.attention/);
    expect(() => pruneHead(healthy(1), path, 4)).toThrow(/in \[0, 4\), got 4/);
  });
});

describe('roles', () => {
  it('takes the mass above one half', () => {
    const [head] = look(healthy(1)).heads;
    if (!head) throw new Error('no head');
    expect(roleOf({ ...head, previousMass: 0.6, selfMass: 0.3 })).toBe('previous');
    expect(roleOf({ ...head, previousMass: 0.1, selfMass: 0.2, nextMass: 0, entropyRatio: 0.9 })).toBe('broad');
    expect(roleOf({ ...head, previousMass: 0.1, selfMass: 0.2, nextMass: 0, entropyRatio: 0.5 })).toBe('none');
    const scores = { induction: 0.7, duplicate: 0.1 };
    expect(roleOf({ ...head, previousMass: 0.1, selfMass: 0.2, nextMass: 0 }, { scores })).toBe('induction');
  });

  it('knows a delimiter by the mass that was recorded on it', () => {
    const [head] = look(healthy(1)).heads;
    if (!head) throw new Error('no head');
    const quiet = { ...head, previousMass: 0.1, selfMass: 0.2, nextMass: 0 };
    expect(roleOf({ ...quiet, delimiterMass: 0.6 })).toBe('delimiter');
    expect(roleOf({ ...quiet, delimiterMass: 0.4, entropyRatio: 0.5 })).toBe('none');
  });

  it('reads induction and duplicate scores off a repeated sequence', () => {
    const values = new Float32Array(16); // 4 × 4, period 2
    values.set([0.2, 0.7, 0.1, 0], 8); // row 2: the first copy is key 0, the one after it key 1
    values.set([0, 0.4, 0.6, 0], 12);
    const record = { batch: 1, heads: 1, queries: 4, keys: 4, weights: { rows: [0, 1, 2, 3], values } };
    const [scores] = repeatScores(record as unknown as Parameters<typeof repeatScores>[0], 2);
    expect(scores?.induction).toBeCloseTo(0.65, 6);
    expect(scores?.duplicate).toBeCloseTo(0.3, 6);
  });
});

/** One layer with its weights' gradient, and `mean_h(p_ij · dout_i · v_j)` [L, L] of it, pair by pair. */
function explained(random: RandomStream): { readonly source: RelevanceSource; readonly products: number[][] } {
  const [H, L, D] = [4, 6, 8];
  const make = (heads: number): Tensor => normal([1, heads, L, D], { random });
  const [q, k, v, dout, mask] = [make(H), make(2), make(2), make(H), causal()];
  const weights = computeAttentionWeights(q, k, { mask }).toArray(); // [1, H, L, L]
  const [values, gradients] = [v.toArray(), dout.toArray()];
  const product = (i: number, j: number): number => {
    let sum = 0;
    for (let h = 0; h < H; h++)
      for (let d = 0; d < D; d++)
        sum +=
          (weights[(h * L + i) * L + j] ?? 0) *
          (gradients[(h * L + i) * D + d] ?? 0) *
          (values[(Math.floor(h / 2) * L + j) * D + d] ?? 0);
    return sum / H;
  };
  const range = Array.from({ length: L }, (_, at) => at);
  return {
    source: { q, k, v, lse: attention(q, k, v, { mask }).lse, mask, dout },
    products: range.map((i) => range.map((j) => product(i, j))),
  };
}

/** `Σ_i r_i · products_ij`. */
function through(r: readonly number[], products: readonly (readonly number[])[]): number[] {
  return r.map((_, j) => r.reduce((sum, share, i) => sum + share * (products[i]?.[j] ?? 0), 0));
}

describe('attentionRelevance', () => {
  it('is weight times its gradient, summed over queries, mean over heads', () => {
    const { source, products } = explained(new RandomStream(3));
    const expected = through(new Array<number>(6).fill(1), products);
    const found = attentionRelevance(source).toArray();
    for (const [j, value] of expected.entries()) expect(found[j]).toBeCloseTo(value, 4);
  });
});

describe('gradientRollout', () => {
  it('is one row of the product of 1 + weight · gradient over the layers', () => {
    const random = new RandomStream(4);
    const layers = [explained(random), explained(random), explained(random)];
    let row = [0, 0, 0, 0, 0, 1];
    const start = tensor(row, [1, 6]);
    for (const { products } of [...layers].reverse()) {
      const moved = through(row, products);
      row = row.map((kept, j) => kept + (moved[j] ?? 0));
    }
    const found = gradientRollout(
      layers.map(({ source }) => source),
      start,
    ).toArray();
    for (const [j, value] of row.entries()) expect(found[j]).toBeCloseTo(value, 4);
  });
});
