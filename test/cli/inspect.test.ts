/** `keyhole inspect` in all its forms: into the terminal and a closed pipe, two runs, two texts, long texts. */

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { splitOf } from '../../src/cli/splitOf.js';
import { UsageError } from '../../src/core/errors.js';
import type { AttentionPicture } from '../../src/core/records.js';
import { json, keyholeIn, main, newFolder, type Outcome } from './program.js';

const tiny = 'data=text.txt width=16 heads=2 layers=1 context=128 batchTokens=256 steps=2 answerTokens=4'.split(' ');

let folder: string;
const keyhole = (...args: readonly string[]): Outcome => keyholeIn(folder, args);
const inspect = (run: string, text: string, ...more: readonly string[]): Outcome =>
  keyhole('inspect', run, '--text', text, ...more);
const pageOf = (name: string): string => readFileSync(join(folder, name), 'utf8');

beforeAll(() => {
  folder = newFolder('inspect');
  writeFileSync(join(folder, 'text.txt'), 'the whale and the cat dog sat on ran.\n'.repeat(100));
  const train = (run: string, seed: string): Outcome =>
    keyhole('train', 'novel', '--run', run, '--seed', seed, '--set', ...tiny);
  const runs = [train('one', '1'), train('two', '2')];
  expect(runs.map(({ code, err }) => code === 0 || err)).toEqual([true, true]);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('inspect', () => {
  it('prints a heat map, and ends quietly when nobody reads on', { timeout: 60_000 }, () => {
    const { code, out } = inspect('one', 'the whale', '--out', '-');
    expect(code).toBe(0);
    expect(out).toContain('blocks.0.attention, layer 0, head');
    expect(out).toMatch(/[▁▂▃▄▅▆▇█░▒▓▀]/);
    const command = `"${process.execPath}" "${main}" inspect one --text whale --out - | true; echo \${PIPESTATUS[0]}`;
    const closed = spawnSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8' });
    expect(closed).toMatchObject({ stdout: '0\n', stderr: '' });
  });

  it('draws the difference of two runs, and says what it cannot compare', { timeout: 60_000 }, () => {
    expect(inspect('one', 'the whale', '--against', 'two', '--out', 'change.svg').err).toBe('');
    expect(pageOf('change.svg')).toMatch(/one − two/);
    expect(inspect('one', 'the whale', '--against', 'one', '--out', 'none.json').code).toBe(0);
    const { pictures } = JSON.parse(pageOf('none.json')) as { pictures: { weights: (number | null)[][] }[] };
    expect(pictures.every(({ weights }) => weights.flat().every((weight) => weight === 0 || weight === null))).toBe(
      true,
    );
    expect(inspect('one', 'the whale', '--against', 'two', '--out', '-')).toMatchObject({ code: 2 });
  });

  it('parts two texts', { timeout: 60_000 }, () => {
    expect(inspect('one', 'the dog ran.', '--second', 'the cat sat.', '--out', 'two.html').err).toBe('');
    expect(pageOf('two.html')).toContain('"split":13');
    const single: AttentionPicture = {
      path: 'a',
      kind: 'self',
      head: 0,
      rows: ['a', 'b'],
      columns: ['a', 'b'],
      weights: [],
    };
    expect(splitOf([single], 'a')).toBe(1);
    expect(() => splitOf([single], 'ab')).toThrow(UsageError);
  });

  it('zooms into a long text, up to what the model reads', { timeout: 60_000 }, () => {
    const text = 'the whale '.repeat(10);
    const long = inspect('one', text, '--out', 'long.html', '--head', '1', '--json');
    expect(json(long)).toMatchObject({ layer: 'blocks.0.attention', head: 1, tokens: 100 });
    expect(pageOf('long.html')).toContain('class="tile-map"');
    expect(inspect('one', text.repeat(2), '--out', 'long.html')).toMatchObject({
      code: 2,
      err: expect.stringContaining('at most context = 128 tokens, got 200'),
    });
    expect(inspect('one', text, '--out', 'long.svg')).toMatchObject({ code: 2 });
    expect(inspect('one', text, '--out', 'long.html', '--head', '2')).toMatchObject({
      code: 2,
      err: expect.stringContaining('from 0 to 1, got 2'),
    });
    expect(inspect('one', text, '--out', 'long.html', '--layer', '7')).toMatchObject({ code: 2 });
  });
});
