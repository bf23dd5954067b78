/**
 * "Naive" of numerics.md: attention in straightforward float32, in a fixed order, with the whole L×S matrix of one head
 * in memory. Every operation rounds to float32. It says how much error float32 itself costs.
 */

import type { Scalars } from '../../src/backend/contract.js';
import { dropoutKeep, dropoutRowKey } from '../../src/backend/dropout.js';
import { ScoreProgram } from '../../src/backend/reference/scoreProgram.js';
import { Strided } from '../../src/backend/reference/strided.js';
import { packedStrides, sizeOf } from '../../src/core/shape.js';
import { statistics as statisticNames } from '../../src/core/statistics.generated.js';
import type { Case, Input } from '../conformance/case.js';
import { blockReader } from '../conformance/cases/blocks.js';

const f = Math.fround;

type Read = (i: number, j: number, k?: number, l?: number) => number;
type Options = Scalars<'attention_backward_f32'>;

/** Element access that follows repeated axes. */
function reader({ shape, stored, values }: Input): Read {
  const steps = packedStrides(stored).map((step, axis) => (stored[axis] === shape[axis] ? step : 0));
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = steps;
  return (i, j, k = 0, l = 0) => values[i * s0 + j * s1 + k * s2 + l * s3] as number;
}

function optional(input: Input | undefined): Read | undefined {
  return input && reader(input);
}

interface Problem {
  readonly it: Case;
  readonly options: Options;
  readonly B: number;
  readonly H: number;
  readonly G: number;
  readonly L: number;
  readonly S: number;
  readonly D: number;
  readonly Dv: number;
}

function problemOf(it: Case): Problem {
  const [B, H, L, D] = (it.inputs.q as Input).shape as [number, number, number, number];
  const [, G, S, Dv] = (it.inputs.v as Input).shape as [number, number, number, number];
  return { it, options: it.scalars as unknown as Options, B, H, G, L, S, D, Dv };
}

function allowed({ it, options }: Problem): (b: number, h: number, i: number, j: number) => boolean {
  const { left, right, offset } = options;
  const [mask, bias, lengths] = [optional(it.inputs.mask), optional(it.inputs.bias), it.inputs.lengths?.values];
  const { blocks, patterns } = it.inputs;
  const map = blocks && patterns && blockReader({ blocks, patterns });
  return (b, h, i, j) =>
    j <= i + offset + right &&
    j >= i + offset - left &&
    j < (lengths?.[b] ?? Infinity) &&
    (mask?.(b, h, i, j) ?? 1) !== 0 &&
    (map?.(b, h, i, j) ?? true) &&
    (bias?.(b, h, i, j) ?? 0) !== -Infinity &&
    byDistance(it, options, 'relative')(b, h, i, j) !== -Infinity;
}

/** What an operand [B, H, L, R] holds for a pair: its column by the clipped distance; 0 without it. */
function byDistance(
  it: Case,
  { offset, reach }: Options,
  name: string,
): (b: number, h: number, i: number, j: number) => number {
  const input = it.inputs[name];
  if (!input) return () => 0;
  const [read, R] = [reader(input), input.shape[3] as number];
  return (b, h, i, j) => read(b, h, i, Math.max(0, Math.min(R - 1, j - i - offset + reach)));
}

/** The program of a case, of which every result is rounded to float32. */
function programOf({ inputs: { program, captured } }: Case): ScoreProgram | undefined {
  const strided = ({ shape, values }: Input): Strided => {
    const data = Float64Array.from(values);
    return new Strided(data, {
      buffer: { dtype: 'f32', length: data.length },
      offset: 0,
      shape,
      strides: packedStrides(shape),
    });
  };
  return program && new ScoreProgram(strided(program), captured && strided(captured));
}

/** One head: p, softcap(scale·q·k) and the slope of the softcap, [L, S] each; forbidden cells are 0. */
interface Pattern {
  readonly p: Float32Array;
  readonly capped: Float32Array;
  readonly slope: Float32Array;
  readonly lse: Float32Array;
}

function patternOf(problem: Problem, b: number, h: number): Pattern {
  const { it, options, H, G, L, S, D } = problem;
  const [q, k, bias] = [reader(it.inputs.q as Input), reader(it.inputs.k as Input), optional(it.inputs.bias)];
  const [may, relative] = [allowed(problem), byDistance(it, options, 'relative')];
  const g = Math.floor(h / (H / G));
  const [p, slope, lse] = [new Float32Array(L * S), new Float32Array(L * S).fill(1), new Float32Array(L)];
  const [capped, program] = [new Float32Array(L * S), programOf(it)];
  for (let i = 0; i < L; i++) {
    const row = p.subarray(i * S, (i + 1) * S).fill(-Infinity);
    for (let j = 0; j < S; j++) {
      if (!may(b, h, i, j)) continue;
      let sum = 0;
      for (let d = 0; d < D; d++) sum = f(sum + f(q(b, h, i, d) * k(b, g, j, d)));
      let score = f(f(options.scale) * sum);
      if (options.softcap > 0) {
        const bent = f(Math.tanh(f(score / options.softcap)));
        score = f(options.softcap * bent);
        slope[i * S + j] = f(1 - f(bent * bent));
      }
      capped[i * S + j] = score;
      if (program) score = f(program.evaluate(score, { b, h, q: i + options.offset, k: j }));
      if (score === -Infinity) continue;
      row[j] = f(f(score + (bias?.(b, h, i, j) ?? 0)) + relative(b, h, i, j));
    }
    lse[i] = normalise(row, it.inputs.sinks?.values[h]);
  }
  return { p, capped, slope, lse };
}

/** Softmax in place beside the sink, shifted by the maximum; returns lse. A row of -Infinity becomes 0. */
function normalise(row: Float32Array, sink = -Infinity): number {
  const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const maximum = Math.max(highest, sink);
  if (highest === -Infinity) {
    row.fill(0);
    return -Infinity;
  }
  let total = 0;
  for (let j = 0; j < row.length; j++) {
    row[j] = Math.exp(f((row[j] as number) - maximum));
    total = f(total + (row[j] as number));
  }
  total = f(total + Math.exp(f(sink - maximum)));
  for (let j = 0; j < row.length; j++) row[j] = (row[j] as number) / total;
  return f(maximum + f(Math.log(total)));
}

/** What dropout multiplies weight (b, h, i, j) by. */
function dropoutFactor({ options, H, L }: Problem, b: number, h: number, i: number, j: number): number {
  if (options.dropoutRate === 0) return 1;
  const key = dropoutRowKey(options.seed, options.stream, (b * H + h) * L + i);
  return dropoutKeep(key, j, Math.round(options.dropoutRate * 2 ** 24)) ? f(1 / (1 - options.dropoutRate)) : 0;
}

/** out [B, H, L, Dv] and lse [B, H, L], packed. */
export function naiveForward(it: Case): { readonly out: Float32Array; readonly lse: Float32Array } {
  const problem = problemOf(it);
  const { B, H, G, L, S, Dv } = problem;
  const v = reader(it.inputs.v as Input);
  const [out, lse] = [new Float32Array(B * H * L * Dv), new Float32Array(B * H * L)];
  for (let head = 0; head < B * H; head++) {
    const [b, h] = [Math.floor(head / H), head % H];
    const g = Math.floor(h / (H / G));
    const pattern = patternOf(problem, b, h);
    lse.set(pattern.lse, head * L);
    for (let i = 0; i < L; i++)
      for (let j = 0; j < S; j++) {
        const z = f((pattern.p[i * S + j] as number) * dropoutFactor(problem, b, h, i, j));
        if (z === 0) continue;
        for (let d = 0; d < Dv; d++) add(out, (head * L + i) * Dv + d, f(z * v(b, g, j, d)));
      }
  }
  return { out, lse };
}

function add(sums: Float32Array, at: number, term: number): void {
  sums[at] = (sums[at] as number) + term;
}

/** What the gradients of lse and the statistics, where the case has them, add to ds_ij / p_ij. */
function statisticsTerm({ it, options }: Problem): (b: number, h: number, i: number, j: number, p: number) => number {
  const dlse = optional(it.inputs.dlse);
  const [gradient, value] = [optional(it.inputs.dstatistics), optional(it.inputs.statistics)];
  const [lse, set] = [optional(it.inputs.lse), optional(it.inputs.set)];
  return (b, h, i, j, p) => {
    let sum = dlse?.(b, h, i) ?? 0;
    if (!gradient || !value) return sum;
    const at = j - i - options.offset;
    const x = f(Math.log(p));
    const sink = it.inputs.sinks ? f(Math.exp(f((it.inputs.sinks.values[h] as number) - (lse?.(b, h, i) ?? 0)))) : 0;
    const derivatives: Partial<Record<(typeof statisticNames)[number], (value: number) => number>> = {
      logitMean: (mean) => f(f(1 + x) + f((lse?.(b, h, i) ?? 0) - mean)),
      entropyNats: (entropy) => -f(f(x + entropy) + sink),
      squareSum: (squares) => f(2 * f(p - squares)),
      meanDistance: (mean) => f(Math.abs(at) - mean),
      windowMass: (mass) => f(Number(Math.abs(at) <= options.window) - mass),
      futureMass: (mass) => f(Number(at > 0) - mass),
      setMass: (mass) => f(Number((set?.(b, j) ?? 0) !== 0) - mass),
      firstMass: (mass) => f(Number(j === 0) - mass),
      selfMass: (mass) => f(Number(at === 0) - mass),
      previousMass: (mass) => f(Number(at === -1) - mass),
      nextMass: (mass) => f(Number(at === 1) - mass),
    };
    for (const [index, name] of statisticNames.entries())
      sum = f(sum + f(gradient(index, b, h, i) * f(derivatives[name]?.(value(index, b, h, i)) ?? 0)));
    return sum;
  };
}

/** The same for the sink of weight `p`, which no statistic counts. */
function sinkTerm({ it }: Problem, b: number, h: number, i: number, p: number): number {
  const [gradient, value] = [optional(it.inputs.dstatistics), optional(it.inputs.statistics)];
  let sum = optional(it.inputs.dlse)?.(b, h, i) ?? 0;
  const without = new Set(['keys', 'logitMax', 'logitMin', 'logitVariance', 'pMax']);
  for (const [index, name] of statisticNames.entries()) {
    if (!gradient || !value || without.has(name)) continue;
    const own = value(index, b, h, i);
    const term = name === 'squareSum' ? -2 * own : name === 'entropyNats' ? f(f(1 - p) - own) : -own;
    sum = f(sum + f(gradient(index, b, h, i) * f(term)));
  }
  return sum;
}

/** What naive backward computes. */
export type GradientName = 'dq' | 'dk' | 'dv' | 'dbias' | 'dcaptured' | 'drelative' | 'dsinks';

export interface NaiveGradients extends Readonly<Record<GradientName, Float32Array>> {
  /** Σ over all pairs of what would be added to `dcaptured` if nothing cancelled. */
  readonly capturedMagnitudes: Float64Array;
}

/** All gradients, packed: the textbook backward pass through the stored pattern. */
export function naiveBackward(it: Case): NaiveGradients {
  const problem = problemOf(it);
  const { options, B, H, G, L, S, D, Dv } = problem;
  const [q, k, v, dout] = (['q', 'k', 'v', 'dout'] as const).map((name) => reader(it.inputs[name] as Input)) as [
    Read,
    Read,
    Read,
    Read,
  ];
  const gradients = {
    dq: new Float32Array(B * H * L * D),
    dk: new Float32Array(B * G * S * D),
    dv: new Float32Array(B * G * S * Dv),
    dbias: new Float32Array(B * H * L * S),
    drelative: new Float32Array(sizeOf(it.outputs.drelative ?? [0])),
    dsinks: new Float32Array(H),
    dcaptured: new Float32Array(it.inputs.captured?.values.length ?? 0),
    capturedMagnitudes: new Float64Array(it.inputs.captured?.values.length ?? 0),
  };
  const [rows = 1, R = 0] = it.outputs.drelative?.slice(2) ?? [];
  const massGradient = byDistance(it, options, 'drelativeMass');
  const program = programOf(it);
  const one = new Float64Array(gradients.dcaptured.length);
  const dp = new Float32Array(S);
  const more = statisticsTerm(problem);
  for (let head = 0; head < B * H; head++) {
    const [b, h] = [Math.floor(head / H), head % H];
    const g = Math.floor(h / (H / G));
    const { p, capped, slope, lse } = patternOf(problem, b, h);
    for (let i = 0; i < L; i++) {
      let mean = 0;
      const sink = f(Math.exp(f((it.inputs.sinks?.values[h] ?? -Infinity) - (lse[i] as number))));
      for (let j = 0; j < S; j++) {
        const weight = p[i * S + j] as number;
        if (weight === 0) continue;
        const factor = dropoutFactor(problem, b, h, i, j);
        let sum = 0;
        for (let d = 0; d < Dv; d++) sum = f(sum + f(dout(b, h, i, d) * v(b, g, j, d)));
        dp[j] = f(f(sum + massGradient(b, h, i, j)) * factor);
        mean = f(mean + f(weight * (dp[j] as number)));
        const z = f(weight * factor);
        for (let d = 0; d < Dv; d++) add(gradients.dv, ((b * G + g) * S + j) * Dv + d, f(z * dout(b, h, i, d)));
      }
      if (lse[i] !== -Infinity) add(gradients.dsinks, h, f(sink * f(sinkTerm(problem, b, h, i, sink) - mean)));
      for (let j = 0; j < S; j++) {
        const weight = p[i * S + j] as number;
        if (weight === 0) continue;
        const ds = f(weight * f(f((dp[j] as number) - mean) + more(b, h, i, j, weight)));
        gradients.dbias[(head * L + i) * S + j] = ds;
        const column = Math.max(0, Math.min(R - 1, j - i - options.offset + options.reach));
        if (R > 0) add(gradients.drelative, (head * rows + (rows === 1 ? 0 : i)) * R + column, ds);
        program?.evaluate(capped[i * S + j] as number, { b, h, q: i + options.offset, k: j });
        program?.backpropagate(weight * (Math.abs(dp[j] as number) + Math.abs(mean)), one.fill(0));
        for (const [at, term] of one.entries()) (gradients.capturedMagnitudes[at] as number) += Math.abs(term);
        const dscore = program ? f(program.backpropagate(ds, gradients.dcaptured)) : ds;
        const dx = f(f(dscore * (slope[i * S + j] as number)) * options.scale);
        for (let d = 0; d < D; d++) {
          add(gradients.dq, (head * L + i) * D + d, f(dx * k(b, g, j, d)));
          add(gradients.dk, ((b * G + g) * S + j) * D + d, f(dx * q(b, h, i, d)));
        }
      }
    }
  }
  return gradients;
}

/** Largest |a - b|; NaN when either holds one. */
export function maximumError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [a[index] as number, b[index] as number];
    if (x !== y) worst = Math.max(worst, Math.abs(x - y));
  }
  return worst;
}
