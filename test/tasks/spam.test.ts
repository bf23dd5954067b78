/** The mails of the corpus: read, kept apart, and learned from at a reduced size. */

import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/backend/registry.js';
import { hash32 } from '../../src/core/hash.js';
import { RandomStream } from '../../src/core/random.js';
import { firstCursor } from '../../src/data/batching.js';
import { loadMails, type Mail, readMail } from '../../src/data/mail.js';
import { jaccard } from '../../src/data/nearDuplicates.js';
import { splitWords } from '../../src/data/words.js';
import { classificationTask } from '../../src/tasks/classification.js';
import { resolveConfig } from '../../src/tasks/config.js';
import { splitApart } from '../../src/tasks/labelledSplits.js';
import { spam } from '../../src/tasks/spam.js';
import { setBackend } from '../../src/tensor/create.js';
import { AdamW } from '../../src/train/adamw.js';
import { trainStep } from '../../src/train/step.js';

let mails: readonly Mail[];
const ratios = { train: 80, validation: 10, test: 10 };

beforeAll(async () => {
  setBackend(await loadBackend());
  mails = await loadMails();
}, 300_000);

describe('mails', () => {
  it('are 6,046, read without their headers', () => {
    expect(mails).toHaveLength(6046);
    expect(mails.filter((mail) => mail.spam)).toHaveLength(1896);
    const headed = mails.filter(({ body }) => /^(Received|Return-Path|Message-Id):/im.test(body.slice(0, 200)));
    expect(headed.map(({ id }) => id)).toEqual(['spam-2/00137', 'spam-2/00403']); // their senders put a second head into the body
    expect(mails.filter(({ body }) => body === '').length).toBeLessThan(40);
  });

  it('are decoded: transfer encoding, character set, HTML, an empty body', async () => {
    const html =
      'Subject: =?utf-8?Q?H=C3=A9?=\nContent-Type: text/html\n\n<style>p{}</style><p>Buy&nbsp;<b>now</b></p>';
    expect(await readMail(html)).toEqual({ subject: 'Hé', body: 'Buy  now' });
    const base64 = 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\naMOp\n';
    expect((await readMail(base64)).body).toBe('hé');
    expect(await readMail('Subject: none\n\n')).toEqual({ subject: 'none', body: '' });
  });

  it('that are nearly the same are on one side of the split', { timeout: 300_000 }, () => {
    const texts = mails.slice(0, 3000).map(({ body, spam: unwanted }) => ({ text: body, label: String(unwanted) }));
    const { splits, grouped } = splitApart(texts, splitWords, ratios);
    expect(grouped).toBeGreaterThan(300);
    expect(splits.train.length / texts.length).toBeGreaterThan(0.7);
    const seen = runsOf(splits.train.map(({ text }) => text));
    for (const { text } of [...splits.validation, ...splits.test]) {
      const own = new Set(runs(text));
      const near = [...candidates(own, seen)].filter((other) => jaccard(own, new Set(runs(other))) >= 0.7);
      expect(near).toEqual([]);
    }
  });

  it('are learned from: better than saying ham, after a few steps', { timeout: 300_000 }, async () => {
    const some = mails.filter((_, index) => index % 12 === 0);
    const reduced = classificationTask({
      ...spam,
      decides: 'f1',
      load: async () => ({
        splits: splitApart(
          some.map(({ body, spam: unwanted }) => ({ text: body, label: unwanted ? 'spam' : 'ham' })),
          splitWords,
          ratios,
        ).splits,
        notices: [],
      }),
    });
    const sizes = ['width=32', 'hidden=64', 'context=64', 'steps=60', 'warmupSteps=1'];
    const open = await reduced.open(resolveConfig('spam', spam.schema, spam.presets.quick ?? {}, sizes));
    const [batches, optimiser, random] = [open.batches(firstCursor), new AdamW(open.model), new RandomStream(1)];
    const loss: typeof open.loss = (batch, context) => open.loss(batch, context);
    for (let step = 1; step <= 60; step++) {
      const { batch } = batches.next().value;
      trainStep([() => batch], { model: open.model, optimiser, loss, random, step, rate: 3e-3, clipNorm: 1 });
    }
    expect(open.evaluate('test').rocAuc).toBeGreaterThan(0.8);
    expect(open.notices.some((notice) => /longer than context=64 and were cut/.test(notice))).toBe(true);
  });
});

/** Runs of four words, hashed. */
function runs(text: string): number[] {
  const words = splitWords(text);
  return Array.from({ length: Math.max(1, words.length - 3) }, (_, at) => hash32(words.slice(at, at + 4).join(' ')));
}

/** Texts by the runs they hold: an index that finds every pair with something in common, without hashing by chance. */
function runsOf(texts: readonly string[]): Map<number, string[]> {
  const index = new Map<number, string[]>();
  for (const text of texts) {
    for (const run of new Set(runs(text))) {
      const members = index.get(run);
      if (members) members.push(text);
      else index.set(run, [text]);
    }
  }
  return index;
}

/** Texts that hold 0.7 of a set: a pair whose similarity is 0.7 or more does. */
function candidates(own: ReadonlySet<number>, index: ReadonlyMap<number, readonly string[]>): Set<string> {
  const counts = new Map<string, number>();
  for (const run of own) for (const text of index.get(run) ?? []) counts.set(text, (counts.get(text) ?? 0) + 1);
  return new Set([...counts].filter(([, count]) => count >= 0.7 * own.size).map(([text]) => text));
}
