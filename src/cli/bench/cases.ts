/**
 * What `keyhole bench` measures, one line a case: shapes of figures that are promised, and of the models in tasks/.
 * Next: attentionProblem.ts (how a case becomes operands), timing.ts (how it is timed).
 */

export type Pass = 'forward' | 'backward' | 'decode';
/** Positions by distance, as the attention call computes them, products included. */
export type PositionKind = 'alibi' | 't5' | 'shaw';
export type MaskKind =
  | 'dense'
  | 'causal'
  | 'boolean'
  | 'bias'
  | 'padding'
  | 'scoreMod'
  | `window:${number}`
  | BlockMaskKind
  | PositionKind;
/** Masks that become a map of blocks: a window worded as not(or(not, not)), and BigBird with 5 % of the blocks at L 16,384. */
export type BlockMaskKind = `composed:${number}` | 'bigbird';
/** `default`: the statistics. `full`: everything that a record can hold. */
export type RecordKind = 'none' | 'default' | 'full';

/** Letters as in ARCHITECTURE.md; values have the width D of the keys. */
export interface AttentionShape {
  readonly B: number;
  readonly H: number;
  readonly G: number;
  readonly L: number;
  readonly S: number;
  readonly D: number;
}

export interface AttentionCase {
  readonly pass: Pass;
  readonly mask: MaskKind;
  readonly shape: AttentionShape;
  readonly record: RecordKind;
  /** The same shape with another mask is timed in turns with it, for comparison. */
  readonly against?: MaskKind;
}

/** out [M, N] = a [M, K] · b [K, N]; a or b may lie transposed in memory, as in linear layers and their gradients. */
export interface GemmCase {
  readonly shape: { readonly M: number; readonly N: number; readonly K: number };
  readonly transposed: 'none' | 'a' | 'b';
}

/** A kernel on arrays larger than any cache; letters of the kernel, the two axes of its rows. */
export interface MemoryCase {
  readonly operation: MemoryOperation;
  readonly shape: Readonly<Record<string, number>>;
}

export type MemoryOperation =
  | ('exp' | 'tanh' | 'gelu' | 'geluBackward' | 'layerNorm' | 'layerNormBackward' | 'rmsNorm' | 'softmax')
  | ('crossEntropy' | 'crossEntropyBackward' | 'adamw' | 'transpose');

/** A preset of a task, with the number of tokens in a batch; `set` changes further keys. */
export interface TrainCase {
  readonly task: 'g2p' | 'novel';
  readonly preset: string;
  readonly batchTokens: number;
  readonly set?: readonly string[];
}

const long: AttentionShape = { B: 1, H: 12, G: 12, L: 2048, S: 2048, D: 64 };
const longest: AttentionShape = { B: 1, H: 2, G: 2, L: 16384, S: 16384, D: 64 };
const short: AttentionShape = { B: 32, H: 8, G: 8, L: 128, S: 128, D: 32 };
const cached: AttentionShape = { B: 1, H: 32, G: 8, L: 1, S: 8192, D: 128 };

const attentionCases: readonly AttentionCase[] = [
  { pass: 'forward', mask: 'dense', shape: long, record: 'none' },
  { pass: 'forward', mask: 'dense', shape: long, record: 'default' },
  { pass: 'forward', mask: 'dense', shape: long, record: 'full' },
  { pass: 'forward', mask: 'causal', shape: long, record: 'none' },
  { pass: 'forward', mask: 'causal', shape: long, record: 'default' },
  { pass: 'forward', mask: 'causal', shape: long, record: 'full' },
  { pass: 'forward', mask: 'boolean', shape: long, record: 'none' },
  { pass: 'forward', mask: 'bias', shape: long, record: 'none' },
  { pass: 'forward', mask: 'padding', shape: long, record: 'none' },
  { pass: 'forward', mask: 'alibi', shape: long, record: 'none', against: 'dense' },
  { pass: 'forward', mask: 't5', shape: long, record: 'none', against: 'dense' },
  { pass: 'forward', mask: 'shaw', shape: long, record: 'none', against: 'dense' },
  { pass: 'forward', mask: 'scoreMod', shape: long, record: 'none', against: 'dense' },
  { pass: 'forward', mask: 'dense', shape: longest, record: 'none' },
  { pass: 'forward', mask: 'window:256', shape: longest, record: 'none' },
  { pass: 'forward', mask: 'composed:256', shape: longest, record: 'none', against: 'window:256' },
  { pass: 'forward', mask: 'bigbird', shape: longest, record: 'none', against: 'dense' },
  { pass: 'forward', mask: 'dense', shape: short, record: 'none' },
  { pass: 'forward', mask: 'causal', shape: short, record: 'none' },
  { pass: 'backward', mask: 'dense', shape: long, record: 'none' },
  { pass: 'backward', mask: 'causal', shape: long, record: 'none' },
  { pass: 'backward', mask: 'scoreMod', shape: long, record: 'none', against: 'dense' },
  { pass: 'backward', mask: 'dense', shape: short, record: 'none' },
  { pass: 'backward', mask: 'causal', shape: short, record: 'none' },
];

const decodeCases: readonly AttentionCase[] = [
  { pass: 'decode', mask: 'dense', shape: cached, record: 'none' },
  { pass: 'decode', mask: 'dense', shape: cached, record: 'default' },
];

/** The cube, then one linear layer of 1,024 tokens in each direction: x·Wᵀ, dy·W, dyᵀ·x. */
const gemmCases: readonly GemmCase[] = [
  { shape: { M: 1024, N: 1024, K: 1024 }, transposed: 'none' },
  { shape: { M: 1024, N: 512, K: 128 }, transposed: 'b' },
  { shape: { M: 1024, N: 128, K: 512 }, transposed: 'none' },
  { shape: { M: 512, N: 128, K: 1024 }, transposed: 'a' },
  { shape: { M: 1024, N: 768, K: 192 }, transposed: 'b' },
];

const trainCases: readonly TrainCase[] = [
  { task: 'g2p', preset: 'quick', batchTokens: 2048 },
  { task: 'g2p', preset: 'full', batchTokens: 2048 },
  { task: 'novel', preset: 'nanogpt-cpu', batchTokens: 12 * 64 },
  {
    task: 'novel',
    preset: 'nanogpt-cpu',
    batchTokens: 16 * 256,
    set: ['layers=6', 'heads=6', 'width=384', 'hidden=1536', 'context=256'],
  },
];

/** 64 MiB an array. */
const memoryCases: readonly MemoryCase[] = [
  { operation: 'exp', shape: { M: 16384, N: 1024 } },
  { operation: 'tanh', shape: { M: 16384, N: 1024 } },
  { operation: 'gelu', shape: { M: 16384, N: 1024 } },
  { operation: 'geluBackward', shape: { M: 16384, N: 1024 } },
  { operation: 'layerNorm', shape: { M: 16384, E: 1024 } },
  { operation: 'layerNormBackward', shape: { M: 16384, E: 1024 } },
  { operation: 'rmsNorm', shape: { M: 16384, E: 1024 } },
  { operation: 'softmax', shape: { M: 16384, N: 1024 } },
  { operation: 'crossEntropy', shape: { M: 512, V: 32768 } },
  { operation: 'crossEntropyBackward', shape: { M: 512, V: 32768 } },
  { operation: 'adamw', shape: { M: 16384, N: 1024 } },
  { operation: 'transpose', shape: { M: 8192, N: 2048 } },
];

export const benchCases = {
  attention: [...attentionCases, ...decodeCases],
  decode: decodeCases,
  gemm: gemmCases,
  memory: memoryCases,
  train: trainCases,
} as const;

export type BenchKind = keyof typeof benchCases;

/** What can be asked for; `decode` is a part of `attention`. */
export const benchKinds = Object.keys(benchCases) as readonly BenchKind[];
/** All cases, each once. */
export const everyKind: readonly BenchKind[] = benchKinds.filter((kind) => kind !== 'decode');

/** The same cases in sizes that every backend gets through in seconds; good for a look, not for a figure. */
export const quickCases: typeof benchCases = {
  attention: benchCases.attention.map(smallAttention),
  decode: decodeCases.map(smallAttention),
  gemm: gemmCases.map((it) => ({ ...it, shape: atMost(it.shape, { M: 128, N: 128, K: 128 }) })),
  memory: memoryCases.map((it) => ({ ...it, shape: atMost(it.shape, { M: 64, N: 192, E: 192, V: 192 }) })),
  train: trainCases.slice(0, 3).map((it) => ({ ...it, batchTokens: 64 })),
};

function smallAttention(it: AttentionCase): AttentionCase {
  return { ...it, shape: atMost(it.shape, { B: 2, H: 2, G: 2, L: 320, S: 320, D: 64 }) };
}

/** Every size, but no more than its limit. */
function atMost<Letter extends string>(
  shape: Readonly<Record<Letter, number>>,
  limits: Readonly<Record<Letter, number>>,
): Readonly<Record<Letter, number>> {
  const entries = (Object.keys(shape) as Letter[]).map((letter) => [letter, Math.min(shape[letter], limits[letter])]);
  return Object.fromEntries(entries) as Record<Letter, number>;
}
