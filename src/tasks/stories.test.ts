import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { setBackend } from '../tensor/create.js';
import { resolveConfig } from './config.js';
import { makeStories, stories } from './stories.js';

const reduced = ['stories=40', 'width=16', 'heads=2', 'hidden=16', 'layers=1', 'batchTokens=512', 'kinds=[2,3]'];

describe('stories', () => {
  it('has no story in two parts, and held-out stories that do not depend on how many are learned from', () => {
    const config = { kinds: [1, 15] as (1 | 15)[], stories: 3000, maxDistance: 3, lead: 0, storySeed: 1 };
    const { train, validation, test } = makeStories(config);
    const texts = [...train, ...validation, ...test].map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
    expect(train.length).toBeLessThan(6000); // so short ones are drawn twice
    expect(makeStories({ ...config, stories: 2991 }).test).toEqual(test);
  });

  it('breaks accuracy down by kind and distance, and attention by what was needed', async () => {
    setBackend(createReferenceBackend());
    const open = await stories.open(resolveConfig('stories', stories.schema, stories.presets.quick ?? {}, reduced));
    const tables = new Map((open.tables?.('test') ?? []).map((table) => [table.title, table]));
    expect(tables.get('Accuracy by kind')?.rows.map(([kind, , count]) => [kind, count])).toEqual([
      [2, 4],
      [3, 4],
    ]);
    const found = tables.get('Needed sentences among those looked at most');
    expect(found?.rows.map(([kind]) => kind)).toEqual(['2', '3']);
    for (const [, looked, chance] of found?.rows ?? []) {
      expect(Number(looked)).toBeGreaterThanOrEqual(0);
      expect(Number(chance)).toBeGreaterThan(0.1);
    }
    const [story = ''] = open.samples;
    const { pictures } = open.answer(story, { attention: true });
    expect(pictures[0]?.rows.at(-1)).toBe('<eos>');
    expect(pictures[0]?.rows.length).toBe((story.match(/[.?]/g)?.length ?? 0) + 1);
  });
});
