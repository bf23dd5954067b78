import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLabelledFile } from './labelledFile.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyhole-csv-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(content: string | Uint8Array, name = 'data.csv', columns = { text: 'text', label: 'label' }) {
  const path = join(folder, name);
  writeFileSync(path, content);
  return readLabelledFile({ path, ...columns });
}

describe('readLabelledFile', () => {
  it('reads quotes, separators and line breaks inside fields', async () => {
    const { rows, notices } = await read('id,text,label\r\n1,"says ""no"", twice\nand more",a\r\n2,plain,b\r\n');
    expect(rows).toEqual([
      { text: 'says "no", twice\nand more', label: 'a' },
      { text: 'plain', label: 'b' },
    ]);
    expect(notices).toEqual([]);
  });

  it('reads JSON Lines, other columns, and values that are not texts', async () => {
    const { rows } = await read('{"body":"x","stars":5}\n\n{"body":"y","stars":1}\n', 'data.jsonl', {
      text: 'body',
      label: 'stars',
    });
    expect(rows).toEqual([
      { text: 'x', label: '5' },
      { text: 'y', label: '1' },
    ]);
  });

  it('keeps empty texts, leaves out and counts rows without a label, counts NUL bytes', async () => {
    const { rows, notices } = await read('text,label\n,a\nlost,\nb\0c,b\n');
    expect(rows.map(({ text }) => text)).toEqual(['', 'b\0c']);
    expect(notices).toEqual(['1 rows without a label were left out', '1 texts hold NUL bytes, which separate words']);
  });

  it('names what is broken', async () => {
    await expect(read('text,label\n"open,a\n')).rejects.toThrow(/Quote Not Closed.* line 2/i);
    await expect(read('text,label\na,b,c\n')).rejects.toThrow(/line 2/);
    await expect(read('words,label\na,b\n')).rejects.toThrow(/expected a column text in .*, got words, label/);
    await expect(read('text,label\n')).rejects.toThrow(/expected rows/);
    await expect(read('')).rejects.toThrow(/expected rows/);
    await expect(read('{"text":"a"\n', 'bad.jsonl')).rejects.toThrow(/bad\.jsonl:1/);
    await expect(read('[1]\n', 'list.jsonl')).rejects.toThrow(/one JSON object a line/);
    await expect(read(Uint8Array.of(0x74, 0xff))).rejects.toThrow(/UTF-8/);
    await expect(readLabelledFile({ path: join(folder, 'none.csv'), text: 'a', label: 'b' })).rejects.toThrow(/ENOENT/);
  });
});
