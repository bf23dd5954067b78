import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../core/random.js';
import { CharacterTokenizer } from './characterTokenizer.js';
import { readTokenizer } from './readTokenizer.js';
import { loadText, readTextFile } from './text.js';
import { neighbouringStarts, shuffledWindows, windowsAt } from './windows.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyhole-text-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(contents: string | Uint8Array): string {
  const path = join(folder, `${Math.random()}.txt`);
  writeFileSync(path, contents);
  return path;
}

describe('loadText', () => {
  it('reads Moby-Dick without its table of contents', async () => {
    const text = await loadText('moby-dick');
    expect(text).toContain('Call me Ishmael.');
    expect(text.length).toBeGreaterThan(1_100_000);
    expect(text).not.toContain('CHAPTER 135. The Chase.—Third Day.\n\nEpilogue');
  });

  it('reads a file, without a byte order mark', () => {
    expect(readTextFile(file('\ufeffnaïve 🐋'))).toBe('naïve 🐋');
  });

  it('refuses a file that is empty or white', () => {
    expect(() => readTextFile(file(''))).toThrow(/expected text in .* got an empty file/);
    expect(() => readTextFile(file(' \n\n'))).toThrow(/3 bytes of white space/);
  });

  it('refuses what is not UTF-8, and says where', () => {
    expect(() => readTextFile(file(Buffer.from('na\u00efve', 'latin1')))).toThrow(/UTF-8, got an invalid byte near 3/);
    expect(() => readTextFile(file(Buffer.concat([Buffer.from('aé🐋'), Buffer.of(0xff)])))).toThrow(/byte near 7/);
  });

  it('refuses a file that is not there, and a folder', () => {
    expect(() => readTextFile(join(folder, 'none'))).toThrow(/expected moby-dick or a text file/);
    expect(() => readTextFile(folder)).toThrow(/not a regular file/);
  });
});

describe('CharacterTokenizer', () => {
  const tokenizer = CharacterTokenizer.of('🐋ba\nba');

  it('numbers characters in the order of their code points', () => {
    expect(tokenizer.size).toBe(4);
    expect([...tokenizer.encode('ab🐋\n')]).toEqual([1, 2, 3, 0]);
    expect(tokenizer.decode([3, 1])).toBe('🐋a');
  });

  it('names a character that the text did not have', () => {
    expect(() => tokenizer.encode('a🦈')).toThrow(/got "🦈" \(U\+1F988\) at position 1/);
    expect(() => tokenizer.symbol(4)).toThrow(/V = 4/);
  });

  it('comes back from JSON, and refuses another version', () => {
    const stored = JSON.parse(JSON.stringify(tokenizer));
    expect([...readTokenizer(stored).encode('🐋')]).toEqual([3]);
    expect(() => readTokenizer({ ...stored, format: 2 })).toThrow(/format 2.*version of Keyhole/);
    expect(() => readTokenizer({ kind: 'other' })).toThrow(/stored tokenizer/);
    expect(() => readTokenizer(undefined)).toThrow(/stored tokenizer/);
    expect(() => readTokenizer({ ...stored, characters: 'aa' })).toThrow(/once, got one twice/);
  });
});

describe('windows', () => {
  const tokens = Uint32Array.from({ length: 20 }, (_, index) => index);

  it('predict the token after each', () => {
    expect(windowsAt(tokens, [0, 5], 3)).toEqual({
      input: Int32Array.of(0, 1, 2, 5, 6, 7),
      labels: Int32Array.of(1, 2, 3, 6, 7, 8),
      shape: [2, 3],
    });
  });

  const size = { rows: 4, length: 3 };
  const from = (epoch: number, index: number) => shuffledWindows(tokens, size, new RandomStream(1), { epoch, index });

  it('are the same from a cursor as without a break', () => {
    const whole = from(0, 0);
    const first = Array.from({ length: 30 }, () => whole.next().value);
    for (const [at, { next }] of first.slice(0, -1).entries())
      expect(from(next.epoch, next.index).next().value).toEqual(first[at + 1]);
    expect(() => from(0, 9).next()).toThrow(/index < 2, got 9/);
  });

  it('hold every token once an epoch, and start at every place in time', () => {
    const starts = (epoch: number): number[] => {
      const found: number[] = [];
      for (const { batch, next } of from(epoch, 0)) {
        for (let row = 0; row < batch.shape[0]; row++) found.push(batch.input[3 * row] as number);
        if (next.epoch > epoch) return found;
      }
      return found;
    };
    const [first = []] = [starts(0)];
    const sorted = [...first].sort((a, b) => a - b);
    expect(first).not.toEqual(sorted);
    expect(new Set(sorted.slice(1).map((start, at) => start - (sorted[at] ?? 0)))).toEqual(new Set([3]));
    const all = new Set(Array.from({ length: 20 }, (_, epoch) => starts(epoch)).flat());
    expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, place) => place));
  });

  it('lie side by side for measuring, or spread evenly', () => {
    expect(neighbouringStarts(tokens, 6)).toEqual([0, 6, 12]);
    expect(neighbouringStarts(tokens, 3, 2)).toEqual([0, 9]);
  });

  it('refuse a text that is too short', () => {
    expect(() => neighbouringStarts(tokens, 20)).toThrow(/context = 20 tokens .* got 20/);
    expect(() =>
      shuffledWindows(tokens, { rows: 1, length: 20 }, new RandomStream(1), { epoch: 0, index: 0 }).next(),
    ).toThrow(/longer text/);
  });
});
