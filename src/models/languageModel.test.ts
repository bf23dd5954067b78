import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { inference } from '../nn/context.js';
import { backward } from '../tensor/autograd.js';
import { setBackend, tensor } from '../tensor/create.js';
import { crossEntropy } from '../tensor/crossEntropy.js';
import { liveBuffers } from '../tensor/pool.js';
import { mean } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import { AdamW } from '../train/adamw.js';
import { generate } from './generate.js';
import { LanguageModel, type LanguageModelOptions } from './languageModel.js';
import { TextSession } from './textSession.js';

const backend = createReferenceBackend();
beforeAll(() => setBackend(backend));

const sizes: LanguageModelOptions = {
  vocabulary: 7,
  width: 16,
  heads: 2,
  hidden: 32,
  layers: 2,
  context: 8,
  dropout: 0,
};
const make = (changes: Partial<LanguageModelOptions> = {}, seed = 1): LanguageModel =>
  new LanguageModel({ ...sizes, ...changes }, new RandomStream(seed));
const ids = (values: readonly number[], rows = 1) => tensor(Int32Array.from(values), [rows, values.length / rows]);
const logitsOf = (model: LanguageModel, values: readonly number[]): number[] =>
  scope(() => [...model.forward(ids(values), inference()).toArray()]);

describe('LanguageModel', () => {
  it('gives scores that no later token changes', () => {
    const model = make();
    const [a, b] = [logitsOf(model, [1, 2, 3, 4]), logitsOf(model, [1, 2, 3, 6])];
    expect(a.slice(0, 21)).toEqual(b.slice(0, 21));
    expect(a.slice(21)).not.toEqual(b.slice(21));
  });

  it('has one table for tokens in and out, unless told otherwise', () => {
    expect([...make().parameters().keys()]).not.toContain('output.weight');
    const apart = make({ tied: false });
    expect(apart.parameters().get('output.weight')?.shape).toEqual([7, 16]);
    expect(apart.parameterCount()).toBe(make().parameterCount() + 7 * 16);
  });

  it('has no bias anywhere when asked for none', () => {
    expect([...make({ bias: false }).parameters().keys()].filter((name) => name.endsWith('bias'))).toEqual([]);
  });

  it('starts as GPT-2 does: deviation 0.02, less at the end of a branch', () => {
    const model = make({ width: 64, hidden: 256, layers: 8 });
    const deviation = (name: string): number => {
      const values = [...(model.parameters().get(name)?.toArray() ?? [])];
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    expect(deviation('blocks.0.feedForward.expand.weight')).toBeCloseTo(0.02, 3);
    expect(deviation('blocks.7.feedForward.contract.weight')).toBeCloseTo(0.02 / 4, 3);
    expect(deviation('blocks.3.attention.out.weight')).toBeCloseTo(0.02 / 4, 3);
  });

  it('learns a text by heart and writes it on', () => {
    const model = make();
    const optimiser = new AdamW(model, { weightDecay: 0 });
    const text = [0, 1, 2, 3, 4, 5, 6, 0, 1];
    for (let step = 1; step <= 60; step++) {
      scope(() => {
        const logits = model.forward(ids(text.slice(0, 8)), { training: true, random: new RandomStream(step) });
        backward(mean(crossEntropy(logits, ids(text.slice(1)))));
        optimiser.update({ step, rate: 0.01, gradientScale: 1 });
      });
    }
    const random = new RandomStream(1);
    const written = [...generate(model, [0, 1], { tokens: 5, random, temperature: 0 })].map(({ token }) => token);
    expect(written).toEqual([2, 3, 4, 5, 6]);
  });
});

describe('TextSession', () => {
  it('gives the scores of a whole pass, token by token and in pieces', () => {
    const model = make();
    const text = [3, 1, 4, 1, 5, 2, 6];
    const whole = logitsOf(model, text);
    const session = new TextSession(model);
    const scores = [session.read(text.slice(0, 3)), ...text.slice(3).map((token) => session.read([token]))];
    session.dispose();
    scores.forEach((row, index) => {
      const expected = whole.slice((index + 2) * 7, (index + 3) * 7);
      row.forEach((score, at) => {
        expect(score).toBeCloseTo(expected[at] ?? Number.NaN, 5);
      });
    });
  });

  it('goes on past the end of its context from the later half of it', () => {
    const model = make();
    const session = new TextSession(model);
    session.read([1, 2, 3, 4, 5, 6, 0, 1]);
    const scores = session.read([2]);
    session.dispose();
    expect([...scores]).toEqual(logitsOf(model, [6, 0, 1, 2]).slice(-7));
  });

  it('gives all its memory back, also when writing is broken off', () => {
    const model = make();
    const before = liveBuffers(backend);
    for (const { token } of generate(model, [1], { tokens: 100, random: new RandomStream(1) })) if (token >= 0) break;
    expect(liveBuffers(backend)).toBe(before);
  });

  it('reads several texts as it reads each alone, past the end of the context too', () => {
    const model = make();
    const texts = [
      [1, 2, 3, 4, 5, 6, 0],
      [6, 5, 4, 3, 2, 1, 0],
    ];
    const together = new TextSession(model);
    const scores = [texts, [[1], [2]], [[3], [4]]].map((next) => together.readAll(next));
    together.dispose();
    texts.forEach((text, row) => {
      const alone = new TextSession(model);
      const expected = [text, [row + 1], [row + 3]].map((next) => alone.read(next));
      alone.dispose();
      expect(scores.map((rows) => rows[row])).toEqual(expected);
    });
  });

  it('refuses to read nothing, texts of different lengths, or others than before', () => {
    expect(() => new TextSession(make()).read([])).toThrow(/at least one token/);
    const session = new TextSession(make());
    expect(() => session.readAll([[1], [1, 2]])).toThrow(/expected 1 tokens of every text, got 1, 2/);
    session.readAll([[1], [2]]);
    expect(() => session.readAll([[1]])).toThrow(/the same 2 texts as before, got 1/);
    session.dispose();
  });
});
