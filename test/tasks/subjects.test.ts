/** Subject lines: kept apart, cut where bodies are long, scored beside the first words, learned from at a reduced size. */

import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/backend/registry.js';
import { RandomStream } from '../../src/core/random.js';
import { firstCursor } from '../../src/data/batching.js';
import { loadMails, type Mail } from '../../src/data/mail.js';
import { resolveConfig } from '../../src/tasks/config.js';
import { pairOf, subjects } from '../../src/tasks/subjects.js';
import type { OpenTask } from '../../src/tasks/task.js';
import { setBackend } from '../../src/tensor/create.js';
import { AdamW } from '../../src/train/adamw.js';
import { trainStep } from '../../src/train/step.js';

const sizes = ['width=32', 'heads=2', 'hidden=32', 'maxLength=40', 'vocabularySize=500', 'batchTokens=640'];
let open: OpenTask;
let mails: readonly Mail[];

beforeAll(async () => {
  setBackend(await loadBackend());
  mails = (await loadMails()).filter(({ spam }) => !spam);
  open = await subjects.open(resolveConfig('subjects', subjects.schema, subjects.presets.quick ?? {}, sizes));
}, 300_000);

describe('subjects', () => {
  it('reads a subject without the marks of replies and lists', () => {
    expect(pairOf({ subject: 'Re: [ILUG] Fwd: RE[2]:  a  disk\n problem', body: '\nHello ' })).toEqual({
      text: 'Hello',
      answers: ['a disk problem'],
    });
    expect(pairOf({ subject: 'Re: ', body: '' })).toEqual({ text: '', answers: [''] });
    expect(pairOf({ subject: 'Reading [1] list: mine', body: 'x' }).answers).toEqual(['Reading [1] list: mine']);
  });

  it('has no subject in two parts', () => {
    const subjectOf = new Map(mails.map(pairOf).map(({ text, answers: [subject] }) => [text, subject.toLowerCase()]));
    const parts = (['train', 'validation', 'test'] as const).map((split) => {
      const bodies = open.inputs(split, Number.POSITIVE_INFINITY);
      return new Set(bodies.map((body) => subjectOf.get(body)));
    });
    const [train, validation, test] = parts as [Set<string>, Set<string>, Set<string>];
    expect(train.size).toBeGreaterThan(1000);
    expect([...validation, ...test].filter((subject) => train.has(subject))).toEqual([]);
    expect([...test].filter((subject) => validation.has(subject))).toEqual([]);
  });

  it('counts what is left out and cut, and says so of an answer', () => {
    expect(open.notices.join('\n')).toMatch(
      /^\d+ mails without .*\n\d+ of \d+ mails share .*\n(\d+ examples .* left out\n)?\d+ inputs longer than maxLength=40 were cut$/,
    );
    expect(open.answer('word '.repeat(100)).notes?.[0]).toMatch(/^only the first 39 of \d+ tokens were read/);
    expect(open.answer('a disk').notes).toBeUndefined();
    expect(() => open.answer(' \n')).toThrow(/subjects: expected a text, got an empty one/);
    expect(open.answer('x'.repeat(1_000_000)).notes).toHaveLength(1);
  });

  it('scores the first words of the body', () => {
    const [table] = open.tables?.('test') ?? [];
    expect(table?.columns).toEqual(['baseline', 'rouge1', 'rouge2', 'rougeL']);
    expect(table?.rows).toHaveLength(1);
    expect(table?.rows[0]?.[0]).toMatch(/^first [3-9] words$/);
    expect(Number(table?.rows[0]?.[1])).toBeGreaterThan(0.01);
  });

  it('is learned from in a few steps', { timeout: 120_000 }, () => {
    const before = open.evaluate('validation', { sample: 40 });
    const [batches, optimiser, random] = [open.batches(firstCursor), new AdamW(open.model), new RandomStream(1)];
    const loss: typeof open.loss = (batch, context) => open.loss(batch, context);
    for (let step = 1; step <= 40; step++) {
      const { batch } = batches.next().value;
      trainStep([() => batch], { model: open.model, optimiser, loss, random, step, rate: 3e-3, clipNorm: 1 });
    }
    const after = open.evaluate('validation', { sample: 40 });
    expect(Object.keys(after)).toEqual(['loss', 'tokenAccuracy', 'rouge1', 'rouge2', 'rougeL']);
    expect(after.loss).toBeLessThan((before.loss as number) - 0.5);
  });
});
