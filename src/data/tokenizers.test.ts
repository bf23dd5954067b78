/** Learned tokenizers against Hugging Face's two libraries: the one in Rust, and the one in JavaScript. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer as JsTokenizer } from '@huggingface/tokenizers';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../core/random.js';
import { ByteLevelBpe } from './byteLevelBpe.js';
import { Heap } from './heap.js';
import { readTokenizer } from './readTokenizer.js';
import { loadMobyDick } from './text.js';
import type { TextTokenizer } from './textTokenizer.js';
import { WordPiece } from './wordPiece.js';

const samples = [
  'Call me Ishmael. Some years ago--never mind how long precisely--',
  "It's the whale's; they'll say we'd've",
  '  leading, trailing  and   inner   white space \n\n\t and lines\r\n',
  'Numbers 1234 and 3.14, ½ and ²',
  'naïve café, Ångström, ﬁne, İstanbul, ß',
  '鯨は大きい。Кит большой. 고래 🐋🐳 👨‍👩‍👧',
  '\u00a0non-breaking\u2003em\u200bzero\u0085next\ufeffmark',
  'a'.repeat(300),
  '\0\u0007control\ufffd',
  '',
];
/** Texts of letters, signs and controls, mixed. */
const fuzz = (seed: number): string => {
  const random = new RandomStream(seed);
  const ranges = [0x20, 0x7f, 0xa0, 0x2ff, 0x0, 0x52f, 0x4e00, 0x4eff, 0x1f300, 0x1f64f]; // all in Unicode 8
  return Array.from({ length: 40 }, () => {
    const range = 2 * random.integer(5);
    const [low = 0, high = 0] = ranges.slice(range, range + 2);
    return String.fromCodePoint(low + random.integer(high - low + 1));
  }).join('');
};
/** A word of so many characters, most of them one code unit, that no other word is a part of. */
const longWord = (length: number): string => {
  const random = new RandomStream(length);
  const letters = ['e', 't', 'a', 'o', 'h', 'n', 'ä', '鯨', '𐐨'];
  return Array.from({ length }, () => letters[random.integer(letters.length)]).join('');
};
const texts = [longWord(900), ...samples, ...Array.from({ length: 200 }, (_, seed) => fuzz(seed))];

let book = '';
beforeAll(async () => {
  book = (await loadMobyDick()).slice(0, 200_000);
});

async function compare(tokenizer: TextTokenizer): Promise<void> {
  const json = JSON.stringify(tokenizer);
  const rust = RustTokenizer.fromString(json);
  const js = new JsTokenizer(JSON.parse(json), {});
  for (const text of texts) {
    const own = [...tokenizer.encode(text)];
    expect((await rust.encode(text, null, { addSpecialTokens: false })).getIds(), JSON.stringify(text)).toEqual(own);
    expect(await rust.decode(own, true), JSON.stringify(text)).toBe(tokenizer.decode(own));
  }
  for (const text of samples.slice(0, 6))
    expect(js.encode(text, { add_special_tokens: false }).ids).toEqual([...tokenizer.encode(text)]);
}

describe('ByteLevelBpe', () => {
  it('gives the ids of both libraries, and the text back', async () => {
    const tokenizer = ByteLevelBpe.train(book, 1000);
    expect(tokenizer.size).toBe(1000);
    await compare(tokenizer);
    for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  }, 30_000);

  it('learns the merges that the library in Rust learns', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyhole-bpe-'));
    const text = book.slice(0, 3000).replaceAll('\n', ' '); // the library learns from files line by line
    writeFileSync(join(folder, 'text.txt'), text);
    const rust = RustTokenizer.fromString(JSON.stringify(ByteLevelBpe.train('', 256)));
    rust.train([join(folder, 'text.txt')]);
    rust.save(join(folder, 'out.json'));
    const own = JSON.parse(JSON.stringify(ByteLevelBpe.train(text, 600))).model.merges;
    const theirs = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')).model.merges;
    rmSync(folder, { recursive: true });
    expect(own.length).toBeGreaterThan(200);
    expect(theirs.slice(0, own.length)).toEqual(own);
  });

  it('counts characters by the bytes that begin one, and streams whole characters', () => {
    const tokenizer = ByteLevelBpe.train('', 256);
    const ids = [...tokenizer.encode('ä🐋')];
    expect(ids).toHaveLength(6);
    expect(ids.reduce((sum, id) => sum + tokenizer.characters(id), 0)).toBe(2);
    expect(ids.map(tokenizer.decoder())).toEqual(['', 'ä', '', '', '', '🐋']);
  });

  it('learns from and reads a text without a space in reasonable time', () => {
    const line = 'abcdefghij'.repeat(5000);
    const tokenizer = ByteLevelBpe.train(line, 300);
    expect(tokenizer.encode(line).length).toBeLessThan(line.length / 8);
    expect(tokenizer.decode(tokenizer.encode(line))).toBe(line);
  }, 20_000);

  it('cuts only words longer than 1,024 code units, between characters, and encodes the parts on their own', () => {
    const tokenizer = ByteLevelBpe.train(book, 1000);
    const [first, second] = [`${'whale'.repeat(204)}the𐐨`, 'reader'.repeat(50)];
    expect(first).toHaveLength(1025); // the last character would be in two
    const parts = [first, second].flatMap((part) => [...tokenizer.encode(part)]);
    expect([...tokenizer.encode(first + second)]).toEqual(parts);
  });

  it('comes back from JSON, and refuses what is damaged', () => {
    const tokenizer = ByteLevelBpe.train(book.slice(0, 5000), 300);
    const stored = JSON.parse(JSON.stringify(tokenizer));
    expect([...readTokenizer(stored).encode(book.slice(0, 500))]).toEqual([...tokenizer.encode(book.slice(0, 500))]);
    expect(() => readTokenizer({ ...stored, version: '2.0' })).toThrow(/version.*not known/);
    expect(() => readTokenizer({ ...stored, model: { ...stored.model, merges: [['qq', 'z']] } })).toThrow(/token "qq"/);
    const { a: _, ...vocab } = stored.model.vocab;
    expect(() => readTokenizer({ ...stored, model: { ...stored.model, vocab } })).toThrow(/every id/);
    expect(() => ByteLevelBpe.train('a', 255)).toThrow(/at least 256/);
  });
});

describe('WordPiece', () => {
  it.each([true, false])(
    'gives the ids of both libraries, lower case %s',
    async (lowercase) => {
      const tokenizer = WordPiece.train(book, 800, { lowercase });
      expect(tokenizer.size).toBe(800);
      await compare(tokenizer);
    },
    30_000,
  );

  it('reads words in their longest pieces', () => {
    const tokenizer = new WordPiece(['[UNK]', 'wha', 'whale', '##le', '##s', 's']);
    expect([...tokenizer.encode('Whales whas les')].map((id) => tokenizer.symbol(id))).toEqual([
      'whale',
      '##s',
      'wha',
      '##s',
      '[UNK]',
    ]);
    expect(tokenizer.decode(tokenizer.encode('whales whas'))).toBe('whales whas');
  });

  it('comes back from JSON, and refuses a size without room', () => {
    const tokenizer = WordPiece.train(book.slice(0, 5000), 200);
    const again = readTokenizer(JSON.parse(JSON.stringify(tokenizer)));
    expect([...again.encode(book.slice(0, 500))]).toEqual([...tokenizer.encode(book.slice(0, 500))]);
    expect(() => WordPiece.train(book.slice(0, 5000), 20)).toThrow(/size of at least/);
  });
});

describe('Heap', () => {
  it('gives its items in order', () => {
    const random = new RandomStream(1);
    const values = Array.from({ length: 500 }, () => random.integer(100));
    const heap = new Heap<number>((a, b) => a < b);
    for (const value of values) heap.push(value);
    expect(Array.from(values, () => heap.pop())).toEqual([...values].sort((a, b) => a - b));
    expect(heap.pop()).toBeUndefined();
    expect(heap.size).toBe(0);
  });
});
