/** Samples of the operations of src/attention for the gradient check. */

import {
  type AttentionOptions,
  alibi,
  and,
  attention,
  booleanMask,
  causal,
  differentiableStatistics,
  keyPadding,
  relativeBias,
  rotate,
  scoreMod,
  shaw,
  slidingWindow,
  swinBias,
  t5Bias,
} from '../../src/attention/index.js';
import { type Tensor, tensor } from '../../src/tensor/index.js';
import type { Sample, SampleInput } from './checkGradients.js';

const random = (...shape: number[]): SampleInput => ({ shape });

/** Sizes with grouped heads, S ≠ L and Dv ≠ D: B=2, H=4, G=2, L=3, S=5, D=4, Dv=3. */
const cross = [random(2, 4, 3, 4), random(2, 2, 5, 4), random(2, 2, 5, 3)];

type Inspect = (q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions) => readonly Tensor[];

/** Every statistic that has a derivative. */
const statistics: Inspect = (q, k, v, options) => {
  const { record } = attention(q, k, v, { ...options, record: {} });
  return [...differentiableStatistics].map((name) => record.tensor(name));
};

const everything: Inspect = (q, k, v, options) => {
  const { out, lse, record } = attention(q, k, v, { ...options, record: {} });
  return [out, lse, ...[...differentiableStatistics].map((name) => record.tensor(name))];
};

const crossMask = (q: Tensor): AttentionOptions => {
  const allowed = tensor([1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1], [3, 5], { dtype: 'u8', backend: q.backend });
  return { mask: booleanMask(allowed) };
};

const self = [random(1, 2, 5, 3), random(1, 1, 5, 3), random(1, 1, 5, 2)];

/** Losses on lse and the statistics: alone, together, and beside out, with every mechanism. */
const recorded: readonly Sample[] = [
  ...[...differentiableStatistics].map((name) => ({
    inputs: self,
    run: (q: Tensor, k: Tensor, v: Tensor) => attention(q, k, v, { mask: causal(), record: {} }).record.tensor(name),
  })),
  { inputs: cross, run: (q, k, v) => attention(q, k, v).lse },
  { inputs: cross, run: (q, k, v) => everything(q, k, v, { mask: causal(), offset: 2, softcap: 0.8 }) },
  { inputs: cross, run: (q, k, v) => statistics(q, k, v, { mask: keyPadding([0, 4]), offset: 1 }) },
  { inputs: cross, run: (q, k, v) => everything(q, k, v, crossMask(q)) },
  { inputs: [...cross, random(4, 3, 5)], run: (q, k, v, bias) => everything(q, k, v, { bias, scale: 1.3 }) },
  { inputs: cross, run: (q, k, v) => everything(q, k, v, { dropout: { rate: 0.3, seed: 5 } }) },
  {
    inputs: [...self, random(5, 5)],
    run: (q, k, v, bias) => {
      const mask = and(causal(), slidingWindow({ left: 3 }));
      return everything(q, k, v, { bias, mask, softcap: 1.1, dropout: { rate: 0.2, seed: 3 } });
    },
  },
];

/** Biases by distance and sinks: alone, and beside everything else, with losses on the record. */
const distances: readonly Sample[] = [
  { inputs: [...self, random(2)], run: (q, k, v, slopes) => attention(q, k, v, { bias: alibi(slopes) }).out },
  {
    inputs: [...cross, random(8, 4)],
    run: (q, k, v, weight) => attention(q, k, v, { bias: t5Bias(weight, { maxDistance: 3 }), offset: 1 }).out,
  },
  {
    inputs: [...cross, random(3, 4), random(3, 3)],
    run: (q, k, v, keys, values) => everything(q, k, v, { bias: shaw({ keys, values }), scale: 0.7 }),
  },
  {
    inputs: [...cross, random(3, 4), random(4, 3, 3), random(4)],
    run: (q, k, v, keys, values, sinks) => {
      const mask = and(causal(), slidingWindow({ left: 3 }));
      const more = { sinks, softcap: 1.1, dropout: { rate: 0.3, seed: 4 }, offset: 2 };
      return everything(q, k, v, { bias: shaw({ keys, values }), mask, ...more });
    },
  },
  {
    inputs: [...cross, random(2, 4, 3, 5)],
    run: (q, k, v, table) => attention(q, k, v, { bias: relativeBias(table), mask: keyPadding([0, 4]) }).out,
  },
  { inputs: [...cross, random(4)], run: (q, k, v, sinks) => attention(q, k, v, { sinks }).out },
  {
    inputs: [...cross, random(4)],
    run: (q, k, v, sinks) => statistics(q, k, v, { sinks, mask: causal(), offset: -1 }),
  },
  {
    inputs: [random(1, 2, 4, 3), random(1, 1, 4, 3), random(1, 1, 4, 2), random(9, 2)],
    run: (q, k, v, table) => attention(q, k, v, { bias: swinBias(table, [2, 2]) }).out,
  },
];

/** Formulas on scores, with gradients to what they look up. */
const modified: readonly Sample[] = [
  {
    inputs: [...cross, random(4)],
    run: (q, k, v, slopes) => {
      const alibi = scoreMod((score, { h, q, k, lookup }) =>
        score.add(lookup(slopes as Tensor, h).multiply(k.subtract(q))),
      );
      return attention(q, k, v, { scoreMod: alibi, offset: 2 }).out;
    },
  },
  {
    inputs: [...cross, random(4, 5), random()],
    run: (q, k, v, table, temperature) => {
      const program = scoreMod((score, { h, q, k, lookup }) => {
        const bias = lookup(table as Tensor, h, k.subtract(q).clamp(-2, 2).add(2));
        return score
          .multiply(lookup(temperature as Tensor).exp())
          .tanh()
          .multiply(2)
          .add(bias);
      });
      return everything(q, k, v, { scoreMod: program, mask: causal(), offset: 2, softcap: 1.2 });
    },
  },
  {
    inputs: [...cross, { shape: [3, 5], low: 0.5, high: 2 }, random(4, 3, 5)],
    run: (q, k, v, table, bias) => {
      const program = scoreMod((score, { b, q, k, lookup, where }) => {
        const weight = lookup(table as Tensor, q, k);
        const bent = score.multiply(weight.sqrt()).divide(weight.log().absolute().add(1)).minimum(0.9).maximum(-0.8);
        return where(q.add(k).modulo(3).equal(0).and(b.equal(0)), -Infinity, bent.subtract(weight.negate()));
      });
      return attention(q, k, v, { scoreMod: program, bias, dropout: { rate: 0.2, seed: 3 } }).out;
    },
  },
];

/** Keyed by operation name. */
export const attentionSamples: Readonly<Record<string, readonly Sample[]>> = {
  attention: [
    { inputs: cross, run: (q, k, v) => attention(q, k, v).out },
    {
      inputs: [random(1, 2, 5, 3), random(1, 2, 5, 3), random(1, 2, 5, 3)],
      run: (q, k, v) => attention(q, k, v, { mask: and(causal(), slidingWindow({ left: 2 })), softcap: 0.7 }).out,
    },
    { inputs: cross, run: (q, k, v) => attention(q, k, v, { mask: keyPadding([0, 4]), scale: 0.9 }).out },
    {
      inputs: cross,
      run: (q, k, v) => {
        const allowed = tensor([1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1], [3, 5], {
          dtype: 'u8',
          backend: q.backend,
        });
        return attention(q, k, v, { mask: booleanMask(allowed) }).out;
      },
    },
    { inputs: [...cross, random(4, 3, 5)], run: (q, k, v, bias) => attention(q, k, v, { bias }).out },
    {
      inputs: cross,
      run: (q, k, v) => attention(q, k, v, { dropout: { rate: 0.3, seed: 5 }, record: { statistics: true } }).out,
    },
    ...recorded,
    ...modified,
    ...distances,
  ],
  rope: [
    { inputs: [random(2, 1, 3, 6)], run: (x) => rotate(x) },
    { inputs: [random(1, 2, 3, 7)], run: (x) => rotate(x, { width: 4, interleaved: true, offset: 5 }) },
  ],
};
