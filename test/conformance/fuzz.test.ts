/**
 * Attention with random arguments, forward, backward and weights, against the float64 reference on every backend and
 * target. fast-check prints seed and path of a failure; `KEYHOLE_FUZZ_SEED=<seed>` repeats it, `KEYHOLE_FUZZ_RUNS=5000`
 * looks longer.
 */

import fc from 'fast-check';
import { it } from 'vitest';
import { type Case, type Input, input, integers, normal, widened } from './case.js';
import { type AttentionCases, attentionCases, type Problem } from './cases/attention.js';
import { randomBlocks } from './cases/blocks.js';
import type { Layout } from './layout.js';
import { conforms, truthOf } from './run.js';
import { subjects } from './subjects.js';

const runs = Number(process.env.KEYHOLE_FUZZ_RUNS ?? 30);
const seed = process.env.KEYHOLE_FUZZ_SEED;

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const width = fc.oneof(size(40), fc.constantFrom(64, 65, 80, 128));
/** Mostly batches of one or two; sometimes nothing at all. */
const batch = fc.constantFrom(1, 1, 2, 2, 3, 0);

const prefill = fc.record({
  B: batch,
  G: size(2),
  share: size(3),
  L: fc.oneof(size(20), size(70)),
  S: fc.oneof(size(40), size(140), fc.constant(0)),
  D: width,
  Dv: width,
});
/** One query, grouped heads, a long cache. */
const decode = fc.record({
  B: fc.constantFrom(1, 2),
  G: size(2),
  share: fc.constantFrom(1, 2, 4, 8),
  L: fc.constant(1),
  S: size(1500),
  D: width,
  Dv: width,
});

const axes = fc.subarray([0, 1, 2, 3]);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 1 });
const reach = fc.constantFrom(Infinity, Infinity, 0, 1, 5, 64);

const arguments_ = fc.record({
  sizes: fc.oneof(prefill, decode),
  seed: fc.nat(1e6),
  spread: fc.constantFrom(0.1, 1, 1, 3),
  mask: maybe(axes),
  bias: maybe(fc.record({ axes, holes: fc.constantFrom(0, 4, 50) })),
  lengths: maybe(fc.array(fc.double({ min: 0, max: 1.1, noNaN: true }), { minLength: 3, maxLength: 3 })),
  blocks: maybe(fc.record({ broadcast: fc.subarray([0, 1]), rows: fc.constantFrom(1, 5, 16, 64) })),
  relative: maybe(
    fc.record({
      axes: fc.subarray([0, 1, 2]),
      R: fc.oneof(size(9), size(70)),
      reach: fc.integer({ min: -3, max: 40 }),
      mass: fc.boolean(),
      holes: fc.constantFrom(0, 0, 20),
    }),
  ),
  sinks: maybe(fc.constantFrom(-30, 0, 3, 30)),
  queries: fc.subarray([0, 1]),
  layouts: fc.array(fc.constantFrom<Layout[]>('packed', 'offset', 'gaps', 'transposed', 'heads last'), {
    minLength: 1,
    maxLength: 5,
  }),
  left: reach,
  right: reach,
  offset: fc.oneof(fc.constant(0), fc.integer({ min: -5, max: 40 })),
  scale: fc.constantFrom(undefined, undefined, 0.3, -0.2, 0),
  softcap: fc.constantFrom(0, 0, 1.5, 20),
  dropoutRate: fc.constantFrom(0, 0, 0.3),
});

type Arguments = typeof arguments_ extends fc.Arbitrary<infer Value> ? Value : never;

/** Scores N(0, 1), -Infinity in one place out of `holes`. */
function biasOf(shape: readonly number[], broadcast: readonly number[], holes: number, from: number): Input {
  const base = normal(shape, from, { broadcast });
  const hole = integers(shape, from + 1, [0, holes || 1], { broadcast });
  const value = (index: number): number =>
    holes > 0 && hole.values[index] === 0 ? -Infinity : (base.values[index] as number);
  return input(shape, value, { broadcast });
}

function problemOf(given: Arguments): Problem {
  const { G, share, ...sizes } = given.sizes;
  const H = G * share;
  const shape = [sizes.B, H, sizes.L, sizes.S];
  const { left, right, softcap, dropoutRate, scale, spread, queries } = given;
  // With a cache the queries sit at the end of the keys.
  const offset = sizes.L === 1 && right !== Infinity ? sizes.S - 1 : given.offset;
  const { mask, bias, lengths, blocks, relative, sinks } = given;
  const optional = { ...(scale !== undefined && { scale }), ...(relative && { reach: relative.reach }) };
  const options = { left, right, offset, softcap, dropoutRate, ...optional };
  const table = relative && [sizes.B, H, sizes.L, relative.R];
  return {
    ...sizes,
    H,
    G,
    spread,
    options,
    broadcast: queries,
    ...(mask && { mask: integers(shape, given.seed + 7, [0, 3], { dtype: 'u8', broadcast: mask }) }),
    ...(bias && { bias: biasOf(shape, bias.axes, bias.holes, given.seed + 8) }),
    ...(table && { relative: biasOf(table, relative.axes, relative.holes, given.seed + 10), mass: relative.mass }),
    ...(sinks !== undefined && { sinks: normal([H], given.seed + 12, { mean: sinks }) }),
    ...(blocks && { map: randomBlocks({ ...sizes, H }, { ...blocks, seed: given.seed + 9 }) }),
    ...(lengths && {
      lengths: input([sizes.B], (b) => Math.round(sizes.S * (lengths[b] as number)), { dtype: 'i32' }),
    }),
  };
}

/** Standard deviation of the scores before softcap and bias. */
function scoreDeviation({ sizes, spread, scale }: Arguments): number {
  return Math.abs(scale ?? 1 / Math.sqrt(sizes.D)) * Math.sqrt(sizes.D) * spread ** 2;
}

/**
 * dout·v of Dv terms is known to a few √Dv·2^-24, and naive may be lucky where there are few outputs: 6e-8 against 3.0e-6
 * for one query, D = 1 and Dv = 80 (measured), where N3 would allow 1.2e-6. At most Dv·2^-24 times q or k.
 */
function productRoom({ sizes, spread, scale, dropoutRate }: Arguments): number {
  const { D, Dv, L, share } = sizes;
  const factor = Math.abs(scale ?? 1 / Math.sqrt(D)) * 4 * spread;
  return (factor * Dv * 2 ** -24 * Math.sqrt(Math.max(1, L * share))) / (1 - dropoutRate);
}

/**
 * N1, N3 and N4, with room for what no float32 kernel can avoid: a score s is only known to s·2^-24, so a weight p only
 * to p·s·2^-24. N1 and N3 speak of scores in N(0, 1), where that is inside their bounds; N4 has it at every size.
 */
function withRoom({ forward, backward, weights }: AttentionCases, given: Arguments): Case[] {
  const deviation = scoreDeviation(given);
  const finite = (truthOf(forward).lse as Float64Array).filter(Number.isFinite);
  const largest = finite.reduce((most, lse) => Math.max(most, Math.abs(lse)), 5 * deviation);
  const room = (largest * 2 ** -24) / (1 - given.dropoutRate);
  const beyond = deviation > 1.01 ? 8 * room : 0;
  const gradients = beyond + productRoom(given);
  return [widened(forward, beyond), widened(backward, gradients), widened(weights, Math.max(beyond, 2 * room))];
}

function expectAgreement(given: Arguments): void {
  const cases = withRoom(attentionCases(problemOf(given), given.seed), given);
  for (const { backend, name } of subjects) {
    if (!backend) continue; // named with its reason by the conformance suite
    for (const it of cases) {
      try {
        conforms(backend, it, given.layouts);
      } catch (cause) {
        throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    }
  }
}

it(`attention with ${runs} random arguments`, { timeout: 60_000 + 1000 * runs }, () => {
  fc.assert(fc.property(arguments_, expectAgreement), {
    numRuns: runs,
    ...(seed !== undefined && { seed: Number(seed) }),
  });
});
