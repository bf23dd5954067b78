import { describe, expect, it } from 'vitest';
import { KeyValueCache } from '../attention/cache.js';
import { applyAttentionWeights, computeAttentionWeights, type ExplicitOptions } from '../attention/explicit.js';
import { and, booleanMask, causal, keyPadding } from '../attention/mask.js';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import {
  backward,
  concat,
  multiply,
  normal,
  permute,
  reshape,
  setBackend,
  slice,
  sparsemax,
  sum,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import type { AttentionMechanism, Mechanism } from './attentionMechanism.js';
import { AttentionSinks } from './attentionSinks.js';
import { capture } from './capture.js';
import { inference } from './context.js';
import {
  MultiHeadAttention,
  type MultiHeadAttentionInputs,
  type MultiHeadAttentionOptions,
} from './multiHeadAttention.js';
import { LearnedTemperature, QueryKeyNorm } from './queryKeyNorm.js';
import { ShawRelativePositions, T5RelativeBias } from './relativePositions.js';
import { rotaryPositions } from './rotaryPositions.js';
import { TalkingHeads } from './talkingHeads.js';

setBackend(createReferenceBackend({ precision: 'f64' }));
const random = new RandomStream(21);
const [B, L, S, E, H] = [2, 5, 7, 8, 4] as const;
const noise = (...shape: number[]): Tensor => normal(shape, { random });

/** The layer by its explicit formula: every stage as a tensor of its own. */
function explicitly(layer: MultiHeadAttention, x: Tensor, memory: Tensor, G: number, options: ExplicitOptions): Tensor {
  const split = (y: Tensor, heads: number): Tensor =>
    permute(reshape(y, [B, y.shape[1] as number, heads, (y.shape[2] as number) / heads]), [0, 2, 1, 3]);
  const [q, k, v] = [
    split(layer.q.forward(x), H),
    split(layer.k.forward(memory), G),
    split(layer.v.forward(memory), G),
  ];
  const z = applyAttentionWeights(computeAttentionWeights(q, k, options), v); // [B, H, L, Dv]
  return layer.out.forward(reshape(permute(z, [0, 2, 1, 3]), [B, L, -1]));
}

function shapeOf(layer: MultiHeadAttention, name: string): readonly number[] {
  return layer.parameters().get(`mechanisms.1.${name}`)?.shape ?? [];
}

function expectClose(got: Tensor | undefined, wanted: Tensor | undefined, label: string): void {
  expect(got?.shape, label).toEqual(wanted?.shape);
  Array.from(got?.toArray() ?? []).forEach((value, at) => {
    expect(value, `${label} [${at}]`).toBeCloseTo(wanted?.toArray()[at] as number, 10);
  });
}

const perHead = (): Tensor =>
  tensor(
    Uint8Array.from({ length: H * L * S }, (_, at) => Number(at % 4 !== 0)),
    [H, L, S],
  );

const forms: Record<string, [Partial<MultiHeadAttentionOptions>, MultiHeadAttentionInputs]> = {
  'multi-head': [{}, {}],
  grouped: [{ keyValueHeads: 2 }, { mask: keyPadding([7, 3]) }],
  'multi-query': [{ keyValueHeads: 1 }, {}],
  'values of another width': [{ keyValueHeads: 2, headWidth: 3, valueWidth: 5 }, {}],
  'a memory of another width': [{ memoryWidth: 6 }, {}],
  'a mask a head': [{}, { mask: booleanMask(perHead()) }],
  'a bias a head': [{ keyValueHeads: 2 }, { bias: noise(H, L, S) }],
  'sparse weights': [{ mechanisms: [{ normaliser: sparsemax }] }, { mask: keyPadding([2, 7]) }],
};

describe('MultiHeadAttention', () => {
  it.each(Object.keys(forms))('is its explicit formula with %s, gradients included', (name) => {
    const [options, inputs] = forms[name] as (typeof forms)[string];
    const layer = new MultiHeadAttention({ width: E, heads: H, ...options }, random);
    const [x, memory] = [noise(B, L, E), noise(B, S, options.memoryWidth ?? E)];
    const all = [x, memory, ...layer.parameters().values()];
    const given = { ...options.mechanisms?.[0], ...inputs };
    const [fused, plain] = [
      () => layer.forward(x, inference(), { ...inputs, memory }),
      () => explicitly(layer, x, memory, options.keyValueHeads ?? H, given as ExplicitOptions),
    ].map((run) => {
      for (const leaf of all) [leaf.requiresGrad, leaf.grad] = [true, undefined];
      const out = run();
      backward(sum(out));
      return [out, ...all.map(({ grad }) => grad)];
    }) as [Tensor[], Tensor[]];
    for (const [at, value] of fused.entries()) expectClose(value, plain[at], `${name}, tensor ${at}`);
  });

  it('joins the mechanisms of the layer and the call, and refuses two of one kind', () => {
    const layer = new MultiHeadAttention(
      { width: E, heads: H, mechanisms: [{ mask: causal(), softcap: 2 }, { scale: 0.3 }] },
      random,
    );
    const x = noise(B, L, E);
    const plain = new MultiHeadAttention({ width: E, heads: H }, random);
    for (const [name, parameter] of plain.parameters()) parameter.write(layer.parameters().get(name)?.toArray() ?? []);
    const allowed = booleanMask(tensor(Uint8Array.from({ length: L * L }, (_, at) => Number(at % 3 !== 1)), [L, L])); // biome-ignore format: one line
    const wanted = plain.forward(x, inference(), { mask: and(causal(), allowed), softcap: 2, scale: 0.3 });
    expectClose(layer.forward(x, inference(), { mask: allowed }), wanted, 'out');
    expect(() => layer.forward(x, inference(), { softcap: 1 })).toThrow(/expected one softcap, got two/);
  });

  it('lets a mechanism change queries and keys, knowing what came before', () => {
    const past: number[][] = [];
    const halved: AttentionMechanism = {
      prepare: ({ q, k }, before) => {
        past.push([...before]);
        return { q: sum(q, 1, true), k };
      },
    };
    const layer = new MultiHeadAttention({ width: E, heads: 1, mechanisms: [halved] }, random);
    using cache = new KeyValueCache();
    for (const length of [3, 2]) layer.forward(noise(B, length, E), inference(), { mask: causal(), cache });
    expect(past).toEqual([[0, 0], [3, 3]]); // biome-ignore format: one line
  });

  it('learns talking heads, shows them to a capture, and decodes with a cache', () => {
    const talking = new TalkingHeads(H, sparsemax);
    const layer = new MultiHeadAttention({ width: E, heads: H, mechanisms: [{ mask: causal() }, talking] }, random);
    expect([...layer.parameters().keys()]).toContain('mechanisms.1.before');
    for (const mix of [talking.before, talking.after]) mix.write(noise(H, H).toArray());
    const x = noise(B, L, E);
    const whole = layer.forward(x, inference());
    backward(sum(whole));
    for (const mix of [talking.before, talking.after])
      expect(mix.grad?.toArray().some((value) => value !== 0)).toBe(true);
    const [seen] = capture(layer, {}, (context) => layer.forward(x, context));
    expect(Array.from(seen?.record.statistics.keys.slice(0, L) ?? [])).toEqual([1, 2, 3, 4, 5]);
    using cache = new KeyValueCache();
    for (const [start, end] of [
      [0, 2],
      [2, 3],
      [3, 5],
    ] as const) {
      // biome-ignore format: one line
      const step = layer.forward(slice(x, 1, start, end), inference(), { cache });
      expectClose(step, slice(whole, 1, start, end), `positions ${start} to ${end}`);
    }
  });

  const D = E / H;
  it.each<[string, () => Mechanism, readonly string[]]>([
    ['rotary positions', () => rotaryPositions(), []],
    ['QK-norm', () => new QueryKeyNorm(D), ['q', 'k']],
    ['a learned temperature', () => new LearnedTemperature(H), ['logScale']],
    ['sinks', () => new AttentionSinks(H), ['logits']],
    ['T5 buckets', () => new T5RelativeBias({ heads: H, buckets: 4, maxDistance: 8 }, random), ['weight']],
    ['Shaw vectors', () => new ShawRelativePositions({ width: D, reach: 2 }, random), ['keys', 'values']],
  ])('%s are a mechanism: they change the result, learn, and decode like the whole', (_, make, names) => {
    const mechanism = make();
    const layer = new MultiHeadAttention({ width: E, heads: H, mechanisms: [{ mask: causal() }, mechanism] }, random);
    for (const name of names)
      layer
        .parameters()
        .get(`mechanisms.1.${name}`)
        ?.write(noise(...shapeOf(layer, name)).toArray());
    const plain = new MultiHeadAttention({ width: E, heads: H, mechanisms: [{ mask: causal() }] }, random);
    for (const [name, parameter] of plain.parameters()) parameter.write(layer.parameters().get(name)?.toArray() ?? []);
    const x = noise(B, L, E);
    const whole = layer.forward(x, inference());
    expect(whole.toArray()).not.toEqual(plain.forward(x, inference()).toArray());
    backward(sum(multiply(whole, noise(B, L, E))));
    for (const name of names)
      expect(
        layer
          .parameters()
          .get(`mechanisms.1.${name}`)
          ?.grad?.toArray()
          .some((value) => value !== 0),
        name,
      ).toBe(true);
    using cache = new KeyValueCache();
    const steps = [0, 2, 3].map((start, at) =>
      layer.forward(slice(x, 1, start, [2, 3, 5][at]), inference(), { cache }),
    );
    expectClose(concat(steps, 1), whole, 'decoded');
  });

  it('refuses sizes that do not divide', () => {
    const make = (options: object) => () => new MultiHeadAttention({ width: E, heads: 3, ...options }, random);
    expect(make({})).toThrow(/width a multiple of heads/);
    expect(make({ heads: 4, keyValueHeads: 3 })).toThrow(/heads of keyValueHeads/);
    expect(make({ headWidth: 2.5 })).toThrow(/width a multiple of heads/);
  });
});
