import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { backward, entmax15, normal, setBackend, softmax, sparsemax, sum, tensor } from '../tensor/index.js';
import { attention } from './attention.js';
import { and, booleanMask, causal, keyPadding } from './mask.js';
import { type Normaliser, sigmoidWeights, talkingHeads, topKWeights } from './normalisers.js';
import { scoreMod } from './scoreMod/scoreMod.js';
import { attentionReceived } from './transposed.js';

const random = new RandomStream(3);
const [B, H, L, D] = [2, 2, 4, 3] as const;
const make = () => normal([B, H, L, D], { random });

const identity = () => tensor([1, 0, 0, 1], [H, H], { dtype: 'f32' });
const all = (): [string, Normaliser][] => [
  ['softmax', softmax],
  ['sparsemax', sparsemax],
  ['entmax15', entmax15],
  ['sigmoid', sigmoidWeights()],
  ['top-k', topKWeights(2, sparsemax)],
  ['talking heads', talkingHeads({ before: identity(), after: identity(), normaliser: entmax15 })],
];

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

describe('a normaliser', () => {
  it('gives what the fused kernel gives when it is softmax, record and lse included', () => {
    const [q, k, v] = [make(), make(), make()];
    const allowed = tensor(
      Uint8Array.from({ length: L * L }, (_, at) => Number(at % 5 !== 0)),
      [L, L],
    );
    const mask = and(causal(), keyPadding([4, 0]), booleanMask(allowed));
    const keySet = tensor(Uint8Array.of(0, 1, 1, 0));
    const record = { rows: [0, 3], topK: 2, received: true, tiles: 2, zeroKeys: true, window: 1, keySet } as const;
    const options = { mask, softcap: 2, bias: normal([L, L], { random }), record };
    const fused = attention(q, k, v, options);
    const explicit = attention(q, k, v, { ...options, normaliser: softmax });
    const close = (got: ArrayLike<number>, wanted: ArrayLike<number>, label: string): void => {
      expect(got.length, label).toBe(wanted.length);
      Array.from(got).forEach((value, at) => {
        if (value !== wanted[at]) expect(value, `${label} [${at}]`).toBeCloseTo(wanted[at] as number, 6);
      });
    };
    close(explicit.out.toArray(), fused.out.toArray(), 'out');
    const [got, wanted] = [explicit.record.read(), fused.record.read()];
    close(got.lse, wanted.lse, 'lse');
    for (const [name, values] of Object.entries(wanted.statistics))
      close(got.statistics[name as keyof typeof wanted.statistics], values, name);
    for (const name of ['received', 'zeroKeys'] as const) close(got[name] ?? [], wanted[name] ?? [], name);
    close(got.tiles?.values ?? [], wanted.tiles?.values ?? [], 'tiles');
    close(got.weights?.values ?? [], wanted.weights?.values ?? [], 'rows');
    expect(got.top).toEqual(wanted.top);
  });

  it('never lets a padded key in, even when it holds NaN, nor does a row without keys give NaN', () => {
    for (const [name, normaliser] of all()) {
      const values = [make(), make(), make()].map((x) => Float64Array.from(x.toArray()));
      const poisoned = values.map((x, which) => x.map((value, at) => (which > 0 && at % 12 >= 9 ? NaN : value)));
      const run = (given: readonly Float64Array[]): number[][] => {
        const leaves = given.map((x) => tensor(x, [B, H, L, D], { dtype: 'f32', requiresGrad: true }));
        const [q, k, v] = leaves as [(typeof leaves)[0], (typeof leaves)[0], (typeof leaves)[0]];
        const { out } = attention(q, k, v, { mask: keyPadding([3, 0]), normaliser });
        backward(sum(out));
        return [out, ...leaves.map(({ grad }) => grad ?? out)].map((x) => Array.from(x.toArray()));
      };
      const clean = run(values.map((x, which) => x.map((value, at) => (which > 0 && at % 12 >= 9 ? 0 : value))));
      expect(run(poisoned), name).toEqual(clean);
      expect(clean.flat().every(Number.isFinite), name).toBe(true);
      expect(
        clean[0]?.slice(24).every((value) => value === 0),
        name,
      ).toBe(true);
    }
  });

  it('drops weights in training and is followed by what looks from the keys', () => {
    const [q, k, v] = [make(), make(), make()];
    const dropout = { rate: 0.5, seed: 3 };
    const once = attention(q, k, v, { normaliser: sparsemax, dropout }).out.toArray();
    expect(attention(q, k, v, { normaliser: sparsemax, dropout }).out.toArray()).toEqual(once);
    const { lse, out } = attention(q, k, v, { normaliser: sparsemax });
    expect(out.toArray()).not.toEqual(once);
    expect(sum(attentionReceived({ q, k, lse, normaliser: sparsemax })).item()).toBeCloseTo(B * H * L, 10);
  });

  it('refuses what does not fit and names it', () => {
    const [q, k, v] = [make(), make(), make()];
    expect(() => topKWeights(0)).toThrow(/count of at least 1, got 0/);
    const mix = talkingHeads({ before: tensor([[1]]) });
    expect(() => attention(q, k, v, { normaliser: mix })).toThrow(/before \[H, H\] = \[2, 2\], got \[1, 1\]/);
    const formula = scoreMod((score) => score);
    expect(() => attention(q, k, v, { normaliser: softmax, scoreMod: formula })).toThrow(/no scoreMod beside/);
    const wrong: Normaliser = (scores) => sum(scores, -1);
    expect(() => attention(q, k, v, { normaliser: wrong })).toThrow(/normaliser to return \[B, H, L, S\]/);
  });
});
