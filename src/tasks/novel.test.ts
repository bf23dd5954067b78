import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { firstCursor } from '../data/batching.js';
import { inference } from '../nn/context.js';
import { setBackend } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import { resolveConfig } from './config.js';
import { examine } from './examine.js';
import { novel } from './novel.js';
import type { Config, OpenTask } from './task.js';
import { repeatedBatch } from './textData.js';

let folder = '';
let config: Config;
let open: OpenTask;

beforeAll(async () => {
  setBackend(createReferenceBackend());
  folder = mkdtempSync(join(tmpdir(), 'keyhole-novel-'));
  const data = join(folder, 'text.txt');
  writeFileSync(data, 'the whale and the sea; '.repeat(60));
  const small = ['layers=2', 'heads=2', 'width=16', 'hidden=16', 'context=8', 'batchTokens=32', 'answerTokens=12'];
  config = resolveConfig('novel', novel.schema, novel.presets['nanogpt-cpu'] ?? {}, [`data=${data}`, ...small]);
  open = await novel.open(config);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('novel', () => {
  it('starts at the loss of a uniform guess', () => {
    const { batch, next } = open.batches(firstCursor).next().value;
    const { loss, tokens } = scope(() => {
      const found = open.loss(batch, inference());
      return { loss: found.loss.item(), tokens: found.tokens };
    });
    expect(Math.abs(loss - Math.log(12))).toBeLessThan(0.05); // 12 different characters
    expect(tokens).toBe(32);
    expect(next).toEqual({ epoch: 0, index: 1 });
  });

  it('measures loss, perplexity and bits, which say the same of characters', () => {
    const { loss = 0, perplexity, bitsPerCharacter } = open.evaluate('validation');
    expect(perplexity).toBeCloseTo(Math.exp(loss), 6);
    expect(bitsPerCharacter).toBeCloseTo(loss / Math.LN2, 6);
    expect(() => open.evaluate('test')).toThrow(/train, validation, got test/);
  });

  it('writes on, piece by piece, the same each time for one seed', () => {
    const pieces: string[] = [];
    const answer = open.answer('the', { attention: true, onText: (piece) => pieces.push(piece) });
    expect(pieces).toHaveLength(12);
    expect(pieces.join('')).toBe(answer.output);
    expect(answer.logProbability).toBeLessThan(0);
    expect(open.answer('the').output).toBe(answer.output);
    expect(open.rebuild({ answerSeed: 2 }).answer('the').output).not.toBe(answer.output);
    expect(answer.pictures).toHaveLength(2 * 2);
    for (const { weights, rows } of answer.pictures) {
      expect(rows).toHaveLength(8);
      weights.forEach((row, index) => {
        expect(row.filter(Number.isNaN)).toHaveLength(7 - index);
        expect(row.slice(0, index + 1).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
      });
    }
  });

  it('answers prompts of several lengths in batches as it answers each alone', () => {
    const prompts = ['the', 'whale', 'sea', ' and ', 'the whale and the sea'];
    const alone = prompts.map((prompt) => open.answer(prompt).output);
    expect(new Set(alone).size).toBeGreaterThan(1);
    expect(open.answers?.(prompts)).toEqual(alone);
  });

  it('opens again from its tokenizer without data', () => {
    const again = novel.reopen(config, JSON.parse(JSON.stringify(open.vocabularies)));
    expect(again.answer('whale').output).toBe(open.answer('whale').output);
    expect(() => again.evaluate('validation')).toThrow(/expected the data/);
  });

  it('logs what attention does for every block', () => {
    const paths = open.observe().map(({ path }) => path);
    expect([...new Set(paths)]).toEqual(['blocks.0.attention', 'blocks.1.attention']);
  });

  it('knows which keys are space or punctuation', () => {
    const [next] = open.probes('validation', 1);
    const marks = scope(() => next?.().delimiters?.('blocks.0.attention').toArray());
    const [text = ''] = open.inputs('validation', 1);
    expect([...(marks ?? [])]).toEqual([...text.slice(0, 8)].map((letter) => Number(' ;'.includes(letter))));
    expect(marks).toContain(1);
  });

  it('writes random texts twice', () => {
    const { period, probe } = open.repeats?.() ?? {};
    expect(period).toBe(4);
    const rows = scope(() => [...repeatedBatch([[1, 2, 3]]).input.toArray()]);
    expect(rows).toEqual([1, 2, 3, 1, 2, 3]);
    const { captured } = examine(open.model, probe ? [probe] : [], { weights: true });
    expect(captured.map(({ record }) => [record.queries, record.weights?.rows.length])).toEqual([
      [8, 8],
      [8, 8],
    ]);
  });

  it('refuses a prompt that it cannot read', () => {
    expect(() => open.answer('')).toThrow(/got an empty one/);
    expect(() => open.answer('the Whale')).toThrow(/got "W"/);
  });

  it('refuses a text that is too short for its context', async () => {
    const data = join(folder, 'short.txt');
    writeFileSync(data, 'ab');
    const short = await novel.open({ ...config, data });
    expect(() => short.batches(firstCursor).next()).toThrow(/longer text or a smaller context/);
  });
});
