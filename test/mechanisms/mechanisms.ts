/**
 * Every mechanism, a few lines each: this list is tested by mechanisms.test.ts and printed as docs/mechanisms.md
 * (`npm run mechanisms`). A new one is a new entry.
 */

import {
  alibi,
  and,
  causal,
  dilated,
  globalTokens,
  keyPadding,
  maskMod,
  or,
  prefixLm,
  relativeBias,
  sigmoidWeights,
  slidingWindow,
  strided,
  t5Bias,
  talkingHeads,
  topKWeights,
} from '../../src/attention/index.js';
import { entmax15, sparsemax, type Tensor } from '../../src/tensor/index.js';
import type { Numbers } from './agree.js';
import { viaLinear } from './linear.js';
import { type AttentionMechanism, byRow, type Mechanism, type Sizes, softmaxRow, viaAttention } from './mechanism.js';
import { words } from './words.js';

const forbidden = -Infinity;

const ofTheCall: readonly AttentionMechanism[] = [
  {
    name: 'scaled dot-product',
    use: 'The default; multi-head, grouped (H > G), multi-query (G = 1) and cross-attention (S ≠ L) are the same call.',
    cost: 'O(L·S) time, O(L) memory',
    paper: 'Vaswani et al. 2017; Shazeer 2019; Ainslie et al. 2023',
    options: () => ({}),
    cached: true,
  },
  {
    name: 'causal mask',
    use: 'Language models: no position sees a later one.',
    cost: 'half of plain',
    paper: 'Vaswani et al. 2017, §3.2.3',
    options: () => ({ mask: causal() }),
    score: (s, { i, j }) => (j <= i ? s : forbidden),
    cached: true,
  },
  {
    name: 'sliding window',
    use: 'Long sequences whose meaning is local.',
    cost: 'O(L·window) time',
    paper: 'Beltagy et al. 2020, §3.1',
    options: () => ({ mask: slidingWindow({ left: 2, right: 1 }) }),
    score: (s, { i, j }) => (j >= i - 2 && j <= i + 1 ? s : forbidden),
    cached: true,
  },
  {
    name: 'key padding',
    use: 'Batches of different lengths.',
    cost: 'as the valid keys',
    paper: 'Vaswani et al. 2017',
    options: () => ({ mask: and(keyPadding([5, 2]), causal()) }),
    score: (s, { b, i, j }) => (j < (b === 0 ? 5 : 2) && j <= i ? s : forbidden),
  },
  {
    name: 'dilated window',
    use: 'A wide reach at the price of a narrow one.',
    cost: 'as the blocks that are not empty',
    paper: 'Beltagy et al. 2020, §3.1',
    options: () => ({ mask: dilated({ step: 2, left: 4, right: 2 }) }),
    score: (s, { i, j }) => ((i - j) % 2 === 0 && j >= i - 4 && j <= i + 2 ? s : forbidden),
    cached: true,
  },
  {
    name: 'strided',
    use: 'Long sequences with a period, such as rows of an image.',
    cost: 'as the blocks that are not empty',
    paper: 'Child et al. 2019, §4.3',
    options: () => ({ mask: strided({ stride: 3 }) }),
    score: (s, { i, j }) => (j <= i && (i - j < 3 || (i - j) % 3 === 0) ? s : forbidden),
    cached: true,
  },
  {
    name: 'prefix LM',
    use: 'A prompt that is read both ways, then text that is written.',
    cost: 'as the blocks that are not empty',
    paper: 'Raffel et al. 2020, §3.2.1',
    options: () => ({ mask: prefixLm([3, 0]) }),
    score: (s, { b, i, j }) => (j <= i || j < (b === 0 ? 3 : 0) ? s : forbidden),
  },
  {
    name: 'window and global tokens',
    use: 'Local meaning and a few positions that everyone reads.',
    cost: 'as the blocks that are not empty',
    paper: 'Beltagy et al. 2020, §3.1',
    options: () => ({ mask: or(slidingWindow({ left: 1, right: 1 }), globalTokens([0])) }),
    score: (s, { i, j }) => (Math.abs(i - j) <= 1 || i === 0 || j === 0 ? s : forbidden),
    cached: true,
  },
  {
    name: 'mask function',
    use: 'Any rule on (b, h, q, k).',
    cost: 'O(B·H·L·S) calls once a shape, then as the blocks that are not empty',
    paper: 'FlexAttention, 2024',
    options: () => ({ mask: maskMod((_b, h, q, k) => (q + k) % (h + 2) !== 1, { perBatch: false }) }),
    score: (s, { h, i, j }) => ((i + j) % (h + 2) !== 1 ? s : forbidden),
    cached: true,
  },
  {
    name: 'additive bias',
    use: 'Any score per pair or per head, given or learned.',
    cost: 'O(H·L·S) memory for the bias',
    paper: 'Shaw et al. 2018; Raffel et al. 2020 (as a table)',
    parameters: ({ H, L, S }) => [[H, L, S]],
    options: (_, [bias]) => ({ bias }),
    score: (s, { h, i, j }, { L, S }, [bias]) => s + ((bias as Numbers)[(h * L + i) * S + j] as number),
  },
  {
    name: 'ALiBi',
    use: 'Texts longer than those of training, with no parameter; more in docs/positions.md.',
    cost: 'O(H·(L + S)) memory, 1.2 of plain time',
    paper: 'Press et al. 2022, §3',
    parameters: ({ H }) => [[H]],
    options: (_, [slopes]) => ({ bias: alibi(slopes as Tensor), mask: causal() }),
    score: (s, { h, i, j }, _, [slopes]) => (j <= i ? s - ((slopes as Numbers)[h] as number) * (i - j) : forbidden),
    cached: true,
  },
  {
    name: 'T5 buckets',
    use: 'How much distance matters is learned, one number for each head and bucket.',
    cost: 'O(H·maxDistance) memory, 1.15 of plain time',
    paper: 'Raffel et al. 2020, §2.1',
    parameters: ({ H }) => [[4, H]],
    options: (_, [weight]) => ({ bias: t5Bias(weight as Tensor, { maxDistance: 4 }) }),
    score: (s, { h, i, j }, { H }, [weight]) =>
      s + ((weight as Numbers)[(j > i ? 2 : 0) * H + Math.min(1, Math.abs(j - i)) * H + h] as number),
    cached: true,
  },
  {
    name: 'bias by distance',
    use: 'Any learned score by clipped distance.',
    cost: 'O(H·R) memory',
    paper: 'Shaw et al. 2018, eq. 2 (the clipping)',
    parameters: ({ H }) => [[H, 1, 5]],
    options: (_, [table]) => ({ bias: relativeBias(table as Tensor) }),
    score: (s, { h, i, j }, _, [table]) =>
      s + ((table as Numbers)[h * 5 + Math.max(-2, Math.min(2, j - i)) + 2] as number),
    cached: true,
  },
  {
    name: 'attention sinks',
    use: 'Heads that may attend to nothing; zeros are the off-by-one softmax.',
    cost: 'none',
    paper: 'Miller 2023; GPT-OSS, 2025',
    parameters: ({ H }) => [[H]],
    options: (_, [sinks]) => ({ sinks, mask: causal() }),
    score: (s, { i, j }) => (j <= i ? s : forbidden),
    weights: (scores, { H, L, S }, [sinks]) => {
      let row = 0;
      return byRow(scores, S, (own) => {
        const sink = (sinks as Numbers)[Math.floor(row++ / L) % H] as number;
        return softmaxRow([...own, sink]).slice(0, S);
      });
    },
    cached: true,
  },
  {
    name: 'softcap',
    use: 'Bounds the logits of a large or unstable model.',
    cost: 'a tanh a score',
    paper: 'Gemma 2, 2024, §2',
    options: () => ({ softcap: 1.5 }),
    score: (s) => 1.5 * Math.tanh(s / 1.5),
    cached: true,
  },
  {
    name: 'sigmoid',
    use: 'Weights that do not compete: a query may read much or nothing.',
    cost: 'explicit path, O(L·S) memory',
    paper: 'Ramapuram et al. 2024',
    options: () => ({ normaliser: sigmoidWeights({ bias: -2 }), mask: causal() }),
    score: (s, { i, j }) => (j <= i ? s : forbidden),
    normalise: (row) => row.map((s) => 1 / (1 + Math.exp(2 - s))),
    cached: true,
  },
  {
    name: 'top-k',
    use: 'Reads a fixed number of keys and drops the noise of the rest.',
    cost: 'explicit path, O(L·S) memory, a sort a row',
    paper: 'Zhao et al. 2019',
    options: () => ({ normaliser: topKWeights(2) }),
    normalise: (row) => {
      const least = [...row].sort((a, b) => b - a)[Math.min(2, row.length) - 1] as number;
      return softmaxRow(row.map((s) => (s >= least ? s : forbidden)));
    },
    cached: true,
  },
  {
    name: 'sparsemax',
    use: 'Weights that are exactly 0 for most keys, for reading off.',
    cost: 'explicit path, O(L·S) memory, a sort a row on the host',
    paper: 'Martins and Astudillo 2016',
    options: () => ({ normaliser: sparsemax }),
    normalise: (row) => solved(row, (above) => above, 1),
    cached: true,
  },
  {
    name: 'entmax 1.5',
    use: 'Sparse, yet smoother to train than sparsemax.',
    cost: 'explicit path, O(L·S) memory, a sort a row on the host',
    paper: 'Peters et al. 2019',
    options: () => ({ normaliser: entmax15, mask: causal() }),
    score: (s, { i, j }) => (j <= i ? s : forbidden),
    normalise: (row) => solved(row, (above) => above * above, 0.5),
    cached: true,
  },
  {
    name: 'talking heads',
    use: 'Heads that share what they found before and after the softmax.',
    cost: 'explicit path, O(L·S) memory, two H×H products a pair',
    paper: 'Shazeer et al. 2020',
    parameters: ({ H }) => [[H, H], [H, H]], // biome-ignore format: one line
    options: (_, [before, after]) => ({ normaliser: talkingHeads({ before, after }) }),
    weights: (scores, sizes, [before, after]) =>
      mixed(byRow(mixed(scores, sizes, before as Numbers), sizes.S, softmaxRow), sizes, after as Numbers),
    cached: true,
  },
];

/** `power(max(factor·s - τ, 0))` with τ by bisection, so that the row sums to 1: the definition, without the sort. */
function solved(row: readonly number[], power: (above: number) => number, factor: number): readonly number[] {
  const z = row.map((s) => s * factor);
  const at = (tau: number): readonly number[] => z.map((value) => power(Math.max(value - tau, 0)));
  let [low, high] = [Math.max(...z) - 1, Math.max(...z)];
  if (high === -Infinity) return row.map(() => 0);
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (at(middle).reduce((a, b) => a + b) > 1) low = middle;
    else high = middle;
  }
  return at(low);
}

/** Head c gets `Σ_a x_a·mix_ac`. */
function mixed(x: Numbers, { H, L, S }: Sizes, mix: Numbers): readonly number[] {
  const block = L * S;
  return Array.from({ length: x.length }, (_, at) => {
    const [b, c] = [Math.floor(at / (H * block)), Math.floor(at / block) % H];
    let total = 0;
    for (let a = 0; a < H; a++) total += (x[(b * H + a) * block + (at % block)] as number) * (mix[a * H + c] as number);
    return total;
  });
}

const elu = (x: number): number => (x > 0 ? x + 1 : Math.exp(x));

const linear = [
  {
    name: 'linear attention',
    use: 'Very long sequences where an approximate, smooth mixture is enough.',
    phi: elu,
    options: { lengths: [3, 1] },
  },
  {
    name: 'linear attention, causal',
    use: 'Long texts; decoding costs the same for every token.',
    phi: elu,
    options: { causal: true, chunk: 2 },
  },
  {
    name: 'linear attention, relu',
    use: 'Sparse features, exact zeros.',
    phi: (x: number) => Math.max(x, 0),
    options: { features: 'relu', causal: true, chunk: 3 },
  },
  {
    name: 'linear attention, no feature map',
    use: 'Associative memories and fast-weight layers.',
    phi: (x: number) => x,
    options: { features: 'identity', causal: true, chunk: 4 },
  },
] as const;

export const mechanisms: readonly Mechanism[] = [...ofTheCall.map(viaAttention), ...linear.map(viaLinear), ...words];
