import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { firstCursor } from '../data/batching.js';
import { setBackend } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import { resolveConfig } from './config.js';
import { examine } from './examine.js';
import { g2p } from './g2p.js';
import { findPreset, findTask } from './registry.js';
import type { OpenTask } from './task.js';

const small = ['width=16', 'heads=2', 'hidden=16', 'encoderLayers=1', 'decoderLayers=1', 'batchTokens=256'];
let open: OpenTask;
const config = resolveConfig('g2p', g2p.schema, g2p.presets.quick ?? {}, small);

beforeAll(async () => {
  setBackend(createReferenceBackend());
  open = await g2p.open(config);
});

describe('g2p', () => {
  it('starts at the loss of a uniform guess and evaluates on held-out words', () => {
    const { batch } = open.batches(firstCursor).next().value;
    const loss = scope(() => open.loss(batch, { training: false, random: undefined as never }).loss.item());
    expect(Math.abs(loss - Math.log(42))).toBeLessThan(1.2);
    const figures = open.evaluate('validation', { sample: 20 });
    expect(Object.keys(figures)).toEqual(['loss', 'tokenAccuracy', 'phonemeErrorRate', 'wordErrorRate']);
    expect(figures.wordErrorRate).toBeGreaterThan(0.5);
  });

  it('answers with pictures whose rows sum to one and whose future is masked', () => {
    const [word] = open.samples;
    const answer = open.answer(word as string, { attention: true });
    expect(answer.references.length).toBeGreaterThan(0);
    expect(answer.pictures).toHaveLength(3 * 2);
    for (const { path, rows, columns, weights } of answer.pictures) {
      expect(weights).toHaveLength(rows.length);
      weights.forEach((row, index) => {
        expect(row).toHaveLength(columns.length);
        expect(row.reduce((sum, weight) => sum + (Number.isNaN(weight) ? 0 : weight), 0)).toBeCloseTo(1, 4);
        if (path.includes('selfAttention')) expect(row.filter(Number.isNaN)).toHaveLength(columns.length - 1 - index);
      });
    }
  });

  it('answers several inputs in one batch as it answers each alone', () => {
    const words = open.inputs('test', 100).filter(({ length }) => length === 6); // a batch's longest input sets its limit
    expect(words.length).toBeGreaterThan(3);
    expect(open.answers?.(words)).toEqual(words.map((word) => open.answer(word).output));
  });

  it('opens again from its vocabularies without data', () => {
    const again = g2p.reopen(config, JSON.parse(JSON.stringify(open.vocabularies)));
    expect(again.answer('keyhole').output).toBe(open.answer('keyhole').output);
    expect(() => again.evaluate('test')).toThrow(/expected the data/);
  });

  it('logs what attention does for every module', () => {
    expect([...new Set(open.observe().map(({ path }) => path))]).toEqual([
      'encoder.blocks.0.attention',
      'decoder.blocks.0.selfAttention',
      'decoder.blocks.0.crossAttention',
    ]);
  });

  it('takes beginning and end for delimiters', () => {
    const [next] = open.probes('validation', 4);
    scope(() => {
      const probe = next?.();
      for (const path of ['encoder.blocks.0.attention', 'decoder.blocks.0.crossAttention']) {
        const marks = probe?.delimiters?.(path).toArray();
        const { keyLengths = [] } = probe?.expected(path) ?? {};
        const S = Math.max(...keyLengths);
        const last = keyLengths.flatMap((length) => Array.from({ length: S }, (_, j) => Number(j === length - 1)));
        expect([...(marks ?? [])], path).toEqual(last);
      }
      const first = probe?.delimiters?.('decoder.blocks.0.selfAttention');
      expect([...(first?.toArray() ?? [])]).toEqual(
        Array.from({ length: first?.size ?? 0 }, (_, at) => Number(at % (first?.shape[1] ?? 1) === 0)),
      );
    });
  });

  it('measures the mass on delimiters in the place of that on padding', () => {
    const { captured } = examine(open.model, open.probes('validation', 4), { delimiters: true });
    for (const { path, record, setMassOf } of captured) {
      const { setMass, firstMass } = record.statistics;
      expect(setMassOf).toBe('delimiters');
      if (path.endsWith('selfAttention')) expect([...setMass]).toEqual([...firstMass]);
      else expect(Math.min(...setMass)).toBeGreaterThan(0);
    }
  });

  it('refuses what it cannot read, and names what is wrong', () => {
    expect(() => open.answer('  ')).toThrow(/empty/);
    expect(() => open.answer('naïve')).toThrow(/got "ï"/);
    expect(() => open.answer('a'.repeat(10_000))).toThrow(/at most 63 letters, got 10000/);
    expect(() => findTask('g3p')).toThrow(/did you mean g2p/);
    expect(() => findPreset(g2p, 'fast')).toThrow(/quick, full/);
    expect(() => resolveConfig('g2p', g2p.schema, {}, ['widht=3'])).toThrow(/did you mean width/);
    expect(() => resolveConfig('g2p', g2p.schema, g2p.presets.quick ?? {}, ['width=wide'])).toThrow(/width/);
    expect(() => resolveConfig('g2p', g2p.schema, g2p.presets.quick ?? {}, ['width'])).toThrow(/key=value/);
  });
});
