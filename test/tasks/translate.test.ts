/** Interface texts: kept apart by template, learned from at a reduced size, scored beside baselines, opened again. */

import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/backend/registry.js';
import { hash32 } from '../../src/core/hash.js';
import { RandomStream } from '../../src/core/random.js';
import { firstCursor } from '../../src/data/batching.js';
import { jaccard } from '../../src/data/nearDuplicates.js';
import { splitWords } from '../../src/data/words.js';
import { resolveConfig } from '../../src/tasks/config.js';
import type { OpenTask } from '../../src/tasks/task.js';
import { translate } from '../../src/tasks/translate.js';
import { setBackend } from '../../src/tensor/create.js';
import { AdamW } from '../../src/train/adamw.js';
import { trainStep } from '../../src/train/step.js';

const reduced = ['width=32', 'hidden=32', 'encoderLayers=1', 'decoderLayers=1', 'maxLength=16', 'vocabularySize=400'];
const config = resolveConfig('translate', translate.schema, translate.presets.quick ?? {}, [
  ...reduced,
  'batchTokens=512',
]);
let open: OpenTask;

beforeAll(async () => {
  setBackend(await loadBackend());
  open = await translate.open(config);
}, 120_000);

describe('translate', () => {
  it('keeps texts of one template on one side', () => {
    const runs = (text: string): Set<number> => {
      const words = splitWords(text);
      const count = Math.max(1, words.length - 1);
      return new Set(Array.from({ length: count }, (_, at) => hash32(words.slice(at, at + 2).join(' '))));
    };
    const index = new Map<number, Set<number>[]>();
    for (const known of open.inputs('train', Number.POSITIVE_INFINITY).map(runs)) {
      for (const run of known) index.set(run, [...(index.get(run) ?? []), known]);
    }
    const heldOut = [...open.inputs('validation', 200), ...open.inputs('test', 200)];
    expect(heldOut).toHaveLength(400);
    for (const text of heldOut) {
      const own = runs(text);
      const near = [...own].flatMap((run) => index.get(run) ?? []).filter((known) => jaccard(own, known) >= 0.7);
      expect(near, text).toEqual([]);
    }
  });

  it('is split the same way every time, and counts what is left out', async () => {
    const again = await translate.open(config, open.vocabularies);
    for (const split of ['train', 'validation', 'test'] as const)
      expect(again.inputs(split, 50)).toEqual(open.inputs(split, 50));
    expect(open.notices).toHaveLength(3);
    expect(open.notices.join('\n')).toMatch(
      /^\d+ messages are the same .*\n\d+ of \d+ texts share .*\n\d+ examples longer than maxLength=16 were left out$/,
    );
  });

  it('scores the nearest known text above the source as it is', { timeout: 60_000 }, () => {
    const [table] = open.tables?.('validation') ?? [];
    expect(table?.columns).toEqual(['baseline', 'bleu', 'chrf']);
    const [copy, nearest] = table?.rows ?? [];
    expect(copy?.[0]).toBe('copy the source');
    expect(Number(copy?.[2])).toBeGreaterThan(10);
    expect(Number(nearest?.[2])).toBeGreaterThan(Number(copy?.[2]));
  });

  it('learns from a few steps, and is opened again without data', { timeout: 120_000 }, () => {
    const before = open.evaluate('validation', { sample: 40 });
    const [batches, optimiser, random] = [open.batches(firstCursor), new AdamW(open.model), new RandomStream(1)];
    const loss: typeof open.loss = (batch, context) => open.loss(batch, context);
    for (let step = 1; step <= 40; step++) {
      const { batch } = batches.next().value;
      trainStep([() => batch], { model: open.model, optimiser, loss, random, step, rate: 3e-3, clipNorm: 1 });
    }
    const after = open.evaluate('validation', { sample: 40 });
    expect(Object.keys(after)).toEqual(['loss', 'tokenAccuracy', 'bleu', 'chrf']);
    expect(after.loss).toBeLessThan((before.loss as number) - 1);

    const { output, references, pictures } = open.answer(open.samples[0] as string, { attention: true });
    expect(references.length).toBeGreaterThan(0);
    expect(pictures[0]?.columns.slice(0, -1).join('')).toBe(open.samples[0]);
    const again = translate.reopen(config, JSON.parse(JSON.stringify(open.vocabularies)));
    expect(again.model.parameters().size).toBe(open.model.parameters().size);
    expect(() => again.evaluate('test')).toThrow(/expected the data/);
    expect(typeof output).toBe('string');
  });

  it('refuses what it cannot read, and names what is wrong', () => {
    expect(() => open.answer(' ')).toThrow(/translate: expected a text, got an empty one/);
    expect(() => open.answer('a'.repeat(1_000_000))).toThrow(/at most 15 tokens of English, got \d+/);
    expect(() => open.answer('a\u0000b')).not.toThrow();
    expect(() => resolveConfig('translate', translate.schema, translate.presets.quick ?? {}, ['language=fr'])).toThrow(
      /language/,
    );
  });
});
