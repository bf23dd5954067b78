import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../core/errors.js';
import { encodeSafetensors, loadArray, parseSafetensors, type StoredArray, storeArray } from './safetensors.js';

const encoder = new TextEncoder();

function join(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

/** A file with any header text or bytes, its length field telling the truth unless said otherwise. */
function file(header: string | Uint8Array, dataLength = 0, headerLength?: bigint): Uint8Array {
  const text = typeof header === 'string' ? encoder.encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (dtype: unknown, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ a: { dtype, shape, data_offsets: offsets } });
const a = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
const two = (first: [number, number], second: [number, number]): string =>
  JSON.stringify({
    a: { dtype: 'U8', shape: [first[1] - first[0]], data_offsets: first },
    b: { dtype: 'U8', shape: [second[1] - second[0]], data_offsets: second },
  });

const malformed: Record<string, Uint8Array> = {
  'empty file': new Uint8Array(0),
  'short length field': new Uint8Array(7),
  'header cut short': file('{}', 0, 3n),
  'header length 2^64-1': file('{}', 0, 2n ** 64n - 1n),
  'header length over 100 MB': file('{}', 0, 100_000_001n),
  'empty header': file(''),
  'invalid UTF-8': file(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
  'byte order mark': file('\ufeff{}'),
  'array as header': file('[]'),
  'null as header': file('null'),
  'string as header': file('"a"'),
  'garbage after the header': file('{} x'),
  'header that ends early': file('{"a":'),
  'a hundred thousand brackets': file('['.repeat(100_000)),
  'duplicate names': file(`{"a":${a},"a":${a}}`, 1),
  'duplicate names, one escaped': file(`{"a":${a},"\\u0061":${a}}`, 1),
  'duplicate field': file('{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
  '__proto__ as a name': file(`{"__proto__":${a}}`, 1),
  '__proto__ in metadata': file('{"__metadata__":{"__proto__":"x"}}'),
  'metadata that is no object': file('{"__metadata__":["x"]}'),
  'metadata with a number': file('{"__metadata__":{"x":1}}'),
  'array entry that is no object': file('{"a":1}'),
  'unknown field': file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"extra":1}}'),
  'missing field': file('{"a":{"dtype":"U8","shape":[0]}}'),
  'unknown dtype': file(entry('F33', [1], [0, 1]), 1),
  'dtype from the prototype': file(entry('toString', [1], [0, 1]), 1),
  'dtype that is no string': file(entry(1, [1], [0, 1]), 1),
  'negative shape': file(entry('U8', [-1], [0, 1]), 1),
  'fractional shape': file(entry('U8', [0.5], [0, 1]), 1),
  'shape that is no list': file(entry('U8', 1, [0, 1]), 1),
  'overflowing axis': file('{"a":{"dtype":"U8","shape":[1e300],"data_offsets":[0,1]}}', 1),
  'overflowing product': file(entry('F32', [2 ** 31, 2 ** 31], [0, 1]), 1),
  'product that wraps to the right length': file(entry('F32', [2 ** 32, 2 ** 32], [0, 0])),
  'offsets past the end': file(entry('U8', [2], [0, 2]), 1),
  'offsets that disagree with the shape': file(entry('F32', [2], [0, 4]), 4),
  'reversed offsets': file(entry('U8', [1], [1, 0]), 1),
  'negative offsets': file(entry('U8', [1], [-1, 0]), 1),
  'fractional offsets': file(entry('U8', [1], [0.5, 1.5]), 2),
  'three offsets': file(entry('U8', [1], [0, 1, 1]), 1),
  overlap: file(two([0, 2], [1, 3]), 3),
  'hole between arrays': file(two([0, 1], [2, 3]), 3),
  'hole before the first array': file(entry('U8', [1], [1, 2]), 2),
  'trailing bytes': file(entry('U8', [1], [0, 1]), 2),
  'data without arrays': file('{}', 1),
};

describe('malformed files', () => {
  for (const [name, bytes] of Object.entries(malformed)) {
    test(name, () => {
      const start = performance.now();
      expect(() => parseSafetensors(bytes, 'model.safetensors')).toThrow(FormatError);
      expect(performance.now() - start).toBeLessThan(100);
    });
  }

  test('errors stay on one or two lines', () => {
    for (const bytes of Object.values(malformed)) {
      expect(() => parseSafetensors(bytes)).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^.{20,400}$/) }),
      );
    }
  });

  test('any bytes at all give a FormatError or a file', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.string(), (data, header) => {
        for (const bytes of [data, join([file(header), data])]) {
          try {
            parseSafetensors(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
      }),
    );
  });
});

describe('well-formed files', () => {
  const arrays = new Map<string, StoredArray>([
    ['encoder.blocks.0.q.weight', storeArray(Float32Array.of(1, -0, Number.NaN, 1e-45), [2, 2])],
    ['ids', storeArray(Int32Array.of(-1, 2 ** 31 - 1, 7), [3])],
    ['flag', storeArray(Uint8Array.of(1), [])],
    ['nothing', storeArray(new Float32Array(0), [0, 5])],
    ['exact', storeArray(Float64Array.of(Math.PI), [1])],
  ]);
  const bytes = join(encodeSafetensors({ arrays, metadata: { step: '7' } }));

  test('come back bit for bit, in order, with their metadata', () => {
    const read = parseSafetensors(bytes);
    expect(read.metadata).toEqual({ step: '7' });
    expect([...read.arrays]).toEqual([...arrays]);
    const values = [...read.arrays.values()].map((array) => loadArray(array));
    expect(values).toEqual([...arrays.values()].map((array) => loadArray(array)));
  });

  test('read the same from an unaligned place in memory', () => {
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const read = parseSafetensors(shifted.subarray(1));
    expect(loadArray(read.arrays.get('ids') as StoredArray)).toEqual(Int32Array.of(-1, 2 ** 31 - 1, 7));
  });

  test('arrays are views on the file, not copies', () => {
    for (const array of parseSafetensors(bytes).arrays.values()) expect(array.bytes.buffer).toBe(bytes.buffer);
  });

  test('long strings in the header are read in no time', () => {
    const long = file(JSON.stringify({ __metadata__: { note: 'a\\"b'.repeat(100_000) } }));
    const start = performance.now();
    expect(parseSafetensors(long).metadata.note).toHaveLength(400_000);
    expect(performance.now() - start).toBeLessThan(100);
  });

  test('data starts at a multiple of 8', () => {
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  test('a name may contain anything that JSON can quote', () => {
    const odd = new Map([['a"\\\n{}[]:,é', storeArray(Uint8Array.of(1), [1])]]);
    expect([...parseSafetensors(join(encodeSafetensors({ arrays: odd, metadata: {} }))).arrays.keys()]).toEqual([
      ...odd.keys(),
    ]);
  });

  test('a half-precision array is kept but not turned into numbers', () => {
    const half: StoredArray = { dtype: 'F16', shape: [1], bytes: Uint8Array.of(0, 0x3c) };
    const read = parseSafetensors(join(encodeSafetensors({ arrays: new Map([['h', half]]), metadata: {} })));
    expect(read.arrays.get('h')).toEqual(half);
    expect(() => loadArray(half)).toThrow(FormatError);
  });
});
