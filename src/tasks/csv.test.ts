import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { firstCursor } from '../data/batching.js';
import { setBackend } from '../tensor/create.js';
import { AdamW } from '../train/adamw.js';
import { trainStep } from '../train/step.js';
import { resolveConfig } from './config.js';
import { csv } from './csv.js';
import type { OpenTask } from './task.js';

let folder = '';
const small = 'width=16 heads=2 hidden=16 context=12 batchTokens=120 vocabularySize=50 dropout=0'.split(' ');
const random = new RandomStream(5);
const letter = (): string => 'abcdefghijklmnopqrstuvwxyz'[random.integer(26)] as string;
const word = (): string => `${letter()}${letter()}${letter()}`; // no digits: they are all alike to a splitter of words

/** The class is which of two words comes first: a bag of words cannot know it. */
function ordered(count: number): string {
  const rows = Array.from({ length: count }, () => {
    const up = random.uniform() < 0.5;
    return `${word()} ${up ? 'low high' : 'high low'} ${word()} ${word()} ${word()},${up ? 'rising' : 'falling'}`;
  });
  return `text,label\n${rows.join('\n')}\n`;
}

function configOf(content: string, ...more: readonly string[]) {
  const data = join(folder, `${random.uint32()}.csv`);
  writeFileSync(data, content);
  return resolveConfig('csv', csv.schema, csv.presets.quick ?? {}, [`data=${data}`, ...small, ...more]);
}

function train(open: OpenTask, steps: number): void {
  const batches = open.batches(firstCursor);
  const optimiser = new AdamW(open.model);
  for (let step = 1; step <= steps; step++) {
    const next = batches.next().value.batch;
    const loss: OpenTask['loss'] = (batch, context) => open.loss(batch, context);
    trainStep([() => next], { model: open.model, optimiser, loss, random, step, rate: 0.01, clipNorm: 1 });
  }
}

beforeAll(() => {
  setBackend(createReferenceBackend());
  folder = mkdtempSync(join(tmpdir(), 'keyhole-csv-task-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('csv', () => {
  it('learns what order says, which the bag of words beside it cannot', async () => {
    const open = await csv.open(configOf(ordered(400)));
    train(open, 60);
    const figures = open.evaluate('test');
    expect(figures.accuracy).toBeGreaterThan(0.95);
    expect(Object.keys(figures)).toEqual([
      'loss',
      'accuracy',
      'precision',
      'recall',
      'f1',
      'rocAuc',
      'calibrationError',
    ]);
    const [beside, confusion] = open.tables?.('test') ?? [];
    expect(beside?.rows.map(([name]) => name)).toEqual(['model', 'bag of words']);
    expect(Number(beside?.rows[1]?.[2])).toBeLessThan(0.75);
    const counts = (confusion?.rows ?? []).flatMap(([, ...row]) => row.map(Number));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(open.inputs('test', Infinity).length);
    const right = ((counts[0] ?? 0) + (counts[3] ?? 0)) / counts.reduce((sum, count) => sum + count, 0);
    expect(right).toBeCloseTo(figures.accuracy ?? 0, 9);
  });

  it.each(['mean', 'max', 'word', 'single', 'multi'])(
    'answers alone as in a batch, and from its vocabularies: %s',
    async (mixer) => {
      const config = configOf(ordered(60), `mixer=${mixer}`);
      const open = await csv.open(config);
      const inputs = open.inputs('train', 8);
      expect(open.answers?.(inputs)).toEqual(inputs.map((input) => open.answer(input).output));
      const answer = open.answer(inputs[0] as string, { attention: true });
      expect(answer.references).toHaveLength(1);
      expect(answer.pictures.length).toBe(mixer === 'max' ? 0 : mixer === 'multi' ? 2 : 1);
      for (const { weights } of answer.pictures)
        for (const row of weights) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4);
      const again = csv.reopen(config, JSON.parse(JSON.stringify(open.vocabularies)));
      expect(again.answer(inputs[0] as string).logProbability).toBe(answer.logProbability);
      expect(() => again.evaluate('test')).toThrow(/expected the data/);
    },
  );

  it('has as many parameters whatever the mixer, but for biases and the one distribution', async () => {
    const content = ordered(40);
    const counts = await Promise.all(
      ['mean', 'max', 'word', 'single', 'multi'].map(async (mixer) => {
        const open = await csv.open(configOf(content, `mixer=${mixer}`));
        return open.model.parameterCount();
      }),
    );
    const [mean = 0, max, one = 0, single = 0, multi] = counts;
    expect([max, multi]).toEqual([mean, single]);
    expect(one - mean).toBe(16 * 16 + 2 * 16);
    expect(Math.abs(single - mean)).toBeLessThan(0.03 * mean);
  });

  it('counts what it cuts, what is empty, and says so for a single answer', async () => {
    const long = `${'long '.repeat(40)},b`;
    const open = await opened(`text,label\n${long}\n,a\n${ordered(30).split('\n').slice(1).join('\n')}`);
    expect(open.notices).toContain('1 of 32 texts (3.1 %) are longer than context=12 and were cut');
    expect(open.notices).toContain('1 texts hold no word; they are judged by being empty');
    expect(open.answer('a '.repeat(30)).notes).toEqual(['only the first 11 of 30 words were read (context=12)']);
    expect(open.answer('').output).toMatch(/^[ab]|rising|falling$/);
    expect(open.answer('x'.repeat(2 ** 20)).notes).toBeUndefined();
  });

  it('refuses a single class, and names a class that only the held-out data has', async () => {
    await expect(csv.open(configOf('text,label\na b,x\nc d,x\n'))).rejects.toThrow(/two classes or more, got only "x"/);
    // Which texts are held out is a matter of their hash: with 40 classes of one text each, some are.
    const many = Array.from({ length: 40 }, (_, index) => `${word()} ${word()} ${word()},class ${index}`).join('\n');
    const { notices } = await opened(`text,label\n${many}\n`);
    expect(notices.some((notice) => /is in the held-out data only/.test(notice))).toBe(true);
    expect(notices.some((notice) => /has no text in the test data/.test(notice))).toBe(true);
  });

  it('keeps texts that are nearly the same on one side', async () => {
    const near = Array.from({ length: 30 }, (_, index) => {
      const words = Array.from({ length: 40 }, word).join(' ');
      return [0, 1, 2, 3].map(() => `${words} ${word()},${index % 2 ? 'a' : 'b'}`).join('\n');
    });
    const open = await csv.open(configOf(`text,label\n${near.join('\n')}\n`));
    const sides = (['train', 'validation', 'test'] as const).map(
      (split) => new Set(open.inputs(split, Infinity).map((text) => text.split(' ').slice(0, 3).join(' '))),
    );
    expect(sides.reduce((sum, { size }) => sum + size, 0)).toBe(30);
  });
});

async function opened(content: string): Promise<OpenTask> {
  return csv.open(configOf(content));
}
