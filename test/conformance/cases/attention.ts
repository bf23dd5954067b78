/**
 * From a problem (sizes, masks, scalars) to a case of every attention kernel with its tolerance. Next:
 * attentionProblems.ts, the problems.
 */

import type { Scalars } from '../../../src/backend/contract.js';
import { statistics as statisticNames } from '../../../src/core/statistics.generated.js';
import { type GradientName, maximumError, naiveBackward } from '../../numerics/naive.js';
import { type Case, type Input, input, integers, kernelCase, normal, type Tolerance, within } from '../case.js';
import { truthOf } from '../run.js';
import { type Blocks, pairsOfBlocks } from './blocks.js';
import { outcome } from './outcome.js';

export interface Problem {
  readonly label?: string;
  readonly B?: number;
  readonly H?: number;
  readonly G?: number;
  readonly L: number;
  readonly S?: number;
  readonly D: number;
  readonly Dv?: number;
  /** Columns of r. */
  readonly C?: number;
  /** Inputs that all kernels take. */
  readonly mask?: Input;
  readonly bias?: Input;
  readonly lengths?: Input;
  readonly map?: Blocks;
  readonly program?: Input;
  readonly captured?: Input;
  /** Bias by distance; with `mass` the weight of each column is asked for. */
  readonly relative?: Input;
  readonly mass?: boolean;
  readonly sinks?: Input;
  readonly options?: Partial<Scalars<'attention_forward_f32'>>;
  /** Multiplies q and k. */
  readonly spread?: number;
  readonly broadcast?: readonly number[];
}

export interface AttentionCases {
  readonly forward: Case;
  /** The same call with everything that a record can hold. */
  readonly recorded: Case;
  readonly backward: Case;
  /** Backward with gradients of lse and of the statistics, too. */
  readonly backwardOfRecord: Case;
  readonly weights: Case;
  readonly transposed: Case;
}

const names = ['B', 'H', 'G', 'L', 'S', 'D', 'Dv'] as const;

interface Sizes extends Readonly<Record<(typeof names)[number], number>> {}

function sizesOf({ B = 1, H = 1, L, D, ...rest }: Problem): Sizes {
  return { B, H, L, D, G: rest.G ?? H, S: rest.S ?? L, Dv: rest.Dv ?? D };
}

function labelOf(problem: Problem, sizes: Sizes): string {
  const options = Object.entries(problem.options ?? {}).map(([name, value]) => `${name} ${value}`);
  const extras = (['mask', 'bias', 'lengths', 'captured', 'map', 'relative', 'mass', 'sinks'] as const).filter(
    (name) => problem[name],
  );
  const text = names.map((name) => `${name}${sizes[name]}`).join(' ');
  return [problem.label, text, ...options, ...extras].filter(Boolean).join(', ');
}

/** Every attention kernel on one problem: forward with statistics, backward with dbias where there is a bias. */
export function attentionCases(problem: Problem, seed: number): AttentionCases {
  const sizes = sizesOf(problem);
  const { B, H, G, L, S, D, Dv } = sizes;
  const label = labelOf(problem, sizes);
  const { spread = 1, broadcast = [] } = problem;
  const q = normal([B, H, L, D], seed, { scale: spread, broadcast });
  const k = normal([B, G, S, D], seed + 1, { scale: spread });
  const v = normal([B, G, S, Dv], seed + 2);
  const { mask, bias, lengths, program, captured, map, relative, sinks } = problem;
  const masks = {
    ...{ ...(mask && { mask }), ...(bias && { bias }), ...(lengths && { lengths }), ...map },
    ...{ ...(program && { program }), ...(captured && { captured }), ...(relative && { relative }) },
  };
  const { blocks: _blocks, patterns: _patterns, ...others } = masks as typeof masks & Partial<Blocks>;
  const pairs = map && { mask: pairsOfBlocks(sizes, map, mask) };
  const mass = relative && problem.mass ? { relativeMass: [B, H, L, relative.shape[3] as number] } : undefined;
  const open = { softcap: 0, left: Infinity, right: Infinity, offset: 0, reach: 0 };
  const shared = { scale: 1 / Math.sqrt(Math.max(D, 1)), ...open };
  const scalars = { ...shared, dropoutRate: 0, seed: 11, stream: 5, window: 3, ...problem.options };
  const { dropoutRate: _rate, seed: _seed, stream: _stream, window: _window, ...weightScalars } = scalars;
  const growth = 1 / (1 - scalars.dropoutRate);
  const forward = kernelCase({
    kernel: 'attention_forward_f32',
    label,
    inputs: { q, k, v, ...masks, ...(sinks && { sinks }) },
    outputs: { out: [B, H, L, Dv], lse: [B, H, L], statistics: [statisticNames.length, B, H, L], ...mass },
    scalars,
    // N1 and N17
    tolerance: {
      ...{ out: within(2e-6 * growth), lse: within(2e-6, 1e-6), statistics: within(2e-6, 1e-5) },
      relativeMass: within(2e-6 * growth),
    },
  });
  const [bins, top] = [1 + (seed % 7), 1 + (seed % 4)];
  const recorded = kernelCase({
    ...forward,
    inputs: { ...forward.inputs, set: booleans([B, S], seed + 4) },
    outputs: {
      ...{ ...forward.outputs, received: [B, H, S], tiles: [B, H, bins, bins], zeroKeys: [B, H, L] },
      ...{ topWeights: [B, H, L, top], topKeys: [B, H, L, top] },
    },
    tolerance: {
      ...forward.tolerance,
      ...{ received: within(2e-6, 1e-5), tiles: within(2e-6, 1e-5), topWeights: within(2e-6, 1e-5) },
      ...{ topKeys: within(0), zeroKeys: within(0) },
    },
  });
  const lse = outcome(forward, 'lse');
  const weights = kernelCase({
    kernel: 'attention_weights_f32',
    label,
    inputs: { q, k, lse, ...others, ...pairs },
    outputs: { weights: [B, H, L, S] },
    scalars: weightScalars,
    // N4; with scores by distance or a sink lse is larger and known to fewer digits: 6.5e-7 measured
    tolerance: { weights: within(relative || sinks ? 8e-7 : 5e-7) },
  });
  const r = normal([B, H, L, problem.C ?? 1], seed + 4);
  const massInputs = mass && {
    relativeMass: outcome(forward, 'relativeMass'),
    drelativeMass: normal(mass.relativeMass, seed + 7),
  };
  const inputs = { ...forward.inputs, lse, ...massInputs };
  return {
    forward,
    recorded,
    weights,
    transposed: transposedCase({ q, k, lse, ...masks, r }, weights),
    backward: backwardCase(inputs, forward, sizes, seed + 3),
    backwardOfRecord: backwardCase(
      { ...inputs, ...recordedInputs(recorded, sizes, seed + 5) },
      forward,
      sizes,
      seed + 3,
    ),
  };
}

/** Gradients of lse and of every statistic; distances are long, so theirs is short. */
export function recordedInputs(recorded: Case, { B, H, L, S }: Sizes, seed: number): Case['inputs'] {
  const shape = [statisticNames.length, B, H, L];
  const base = normal(shape, seed);
  const scaleOf = (index: number): number =>
    statisticNames[Math.floor(index / (B * H * L))] === 'meanDistance' ? 1 / Math.max(S, 1) : 1;
  return {
    dlse: normal([B, H, L], seed + 1),
    dstatistics: input(shape, (index) => (base.values[index] as number) * scaleOf(index)),
    statistics: outcome(recorded, 'statistics'),
    set: recorded.inputs.set as Input,
  };
}

function transposedCase(inputs: Case['inputs'], { label, scalars }: Case): Case {
  const [B, H, , C] = (inputs.r as Input).shape as [number, number, number, number];
  const S = (inputs.k as Input).shape[2] as number;
  const make = (r: Input, tolerance: Tolerance): Case =>
    kernelCase({
      kernel: 'attention_transposed_f32',
      label: `${label}, C${C}`,
      inputs: { ...inputs, r },
      outputs: { out: [B, H, S, C] },
      scalars: scalars as Scalars<'attention_transposed_f32'>,
      tolerance: { out: tolerance },
    });
  const r = inputs.r as Input;
  const magnitudes = make({ ...r, values: Float32Array.from(r.values, Math.abs) }, {});
  const bound = (): Float64Array => (truthOf(magnitudes).out as Float64Array).map((sum) => 1e-6 * sum + 1e-7);
  return make(r, { bound });
}

function backwardCase(inputs: Case['inputs'], forward: Case, sizes: Sizes, seed: number): Case {
  const { B, H, G, L, S, D, Dv } = sizes;
  const rows = (inputs.relative?.stored[2] ?? L) === 1 ? 1 : L;
  const more = {
    ...(inputs.bias && { dbias: [B, H, L, S] }),
    ...(inputs.relative && { drelative: [B, H, rows, inputs.relative.shape[3] as number] }),
    ...(inputs.captured && { dcaptured: inputs.captured.shape }),
    ...(inputs.sinks && { dsinks: [H] }),
  };
  const it: Case = kernelCase({
    kernel: 'attention_backward_f32',
    label: forward.label,
    inputs: { ...inputs, out: outcome(forward, 'out'), dout: normal([B, H, L, Dv], seed) },
    outputs: { dq: [B, H, L, D], dk: [B, G, S, D], dv: [B, G, S, Dv], ...more },
    scalars: forward.scalars as Scalars<'attention_backward_f32'>,
    tolerance: {
      dq: threeNaive(() => it, 'dq'),
      dk: threeNaive(() => it, 'dk'),
      dv: threeNaive(() => it, 'dv'),
      dbias: threeNaive(() => it, 'dbias'),
      drelative: threeNaive(() => it, 'drelative'),
      dsinks: threeNaive(() => it, 'dsinks'),
      // One number may sum up every pair: N3's bound for a sum, as for attention_transposed.
      dcaptured: { bound: () => naiveBackward(it).capturedMagnitudes.map((sum) => 1e-6 * sum + 1e-6) },
    },
  });
  return it;
}

const naiveErrors = new WeakMap<Case, Readonly<Record<GradientName, number>>>();

/** N3: at most three times the error of naive float32, plus 1e-6, which dropout's growth of the survivors scales. */
function threeNaive(of: () => Case, name: GradientName): Tolerance {
  return {
    bound: (truth) => {
      const it = of();
      const rate = (it.scalars as Scalars<'attention_backward_f32'>).dropoutRate;
      let errors = naiveErrors.get(it);
      if (errors === undefined) {
        const [naive, exact] = [naiveBackward(it), truthOf(it)];
        const error = (key: GradientName): number => maximumError(naive[key], exact[key] ?? naive[key]);
        errors = {
          ...{ dq: error('dq'), dk: error('dk'), dv: error('dv'), dbias: error('dbias') },
          ...{ dcaptured: error('dcaptured'), drelative: error('drelative'), dsinks: error('dsinks') },
        };
        naiveErrors.set(it, errors);
      }
      const { drelative = [] } = it.outputs;
      // A table that all rows share sums L of them: 6.4e-6 measured for L = 45, where naive had 1.6e-6.
      const rows = name === 'drelative' && drelative[2] === 1 ? ((it.inputs.q as Input).shape[2] as number) : 1;
      return new Float64Array(truth.length).fill(3 * errors[name] + (1e-6 * Math.sqrt(rows)) / (1 - rate));
    },
  };
}

export function booleans(shape: readonly number[], seed: number, broadcast: readonly number[] = []): Input {
  return integers(shape, seed, [0, 2], { dtype: 'u8', broadcast });
}
