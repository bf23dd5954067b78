import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32, crc32c } from './checksum.js';

const require = createRequire(import.meta.url);
const other: Readonly<Record<string, { readonly buf: (bytes: Uint8Array) => number }>> = {
  crc32: require('crc-32'),
  crc32c: require('crc-32/crc32c.js'),
};

test('published check values', () => {
  const digits = new TextEncoder().encode('123456789');
  expect(crc32(digits)).toBe(0xcbf43926); // Koopman and Chakravarty 2004; RevEng catalogue of CRC algorithms
  expect(crc32c(digits)).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa); // RFC 3720, §B.4
  expect([crc32(new Uint8Array()), crc32c(new Uint8Array())]).toEqual([0, 0]);
});

test.each([
  ['crc32', crc32],
  ['crc32c', crc32c],
] as const)('%s agrees with the package crc-32 on any bytes', (name, own) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(own(bytes)).toBe((other[name]?.buf(bytes) ?? 0) >>> 0);
    }),
  );
});
