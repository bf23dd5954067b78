/**
 * Hostile values at the addon's door. The TypeScript side would refuse most of them first; here they meet the C++
 * parser alone. Every one must become a code or a TypeError, and leave the output as it was.
 */

import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addonPath } from '#host';
import { addonIfBuilt } from '../../../test/native/addonIfBuilt.js';
import { maxOperands, signatures } from '../signature.js';
import type { Addon, NativeArray } from './addon.js';

const built = addonIfBuilt();
const native = built as Addon;
const binary = signatures.binary_f32.index;
const [notWhole, tooFar, wrongRank, wrongType, missing, overlap, broadcast, differ, tooLarge, count] = [
  13, 14, 12, 11, 10, 18, 15, 16, 17, 9,
];
const vector = (offset: number, size: number, stride: number): number[] => [1, offset, 1, size, stride];
const good = [...vector(0, 5, 1), ...vector(0, 5, 1), ...vector(0, 5, 1), 0];

function run(numbers: readonly number[], memory: readonly (NativeArray | null)[], kernel = binary): number {
  return native.call(0, 2, kernel, Float64Array.of(...numbers, 0), numbers.length, ...memory);
}
const fresh = (): Float32Array<ArrayBuffer>[] => [new Float32Array(5), new Float32Array(5), new Float32Array(5)];
/** Code and operand of the answer to a call whose third operand is `words`. */
function third(...words: number[]): [number, number] {
  const answer = run([...vector(0, 5, 1), ...vector(0, 5, 1), ...words, 0], fresh());
  return [answer & 31, answer >> 5];
}

describe.skipIf(!built)('call_parser.h', () => {
  it('takes a good call', () => {
    const [out, a, b] = [new Float32Array(5), Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(5, 4, 3, 2, 1)];
    expect(run(good, [out, a, b])).toBe(0);
    expect([...out]).toEqual([6, 6, 6, 6, 6]);
  });

  it('refuses numbers that are not whole, safe and non-negative', () => {
    for (const bad of [-1, 0.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 1e300]) {
      expect(third(1, bad, 1, 5, 1)).toEqual([notWhole, 2]);
      expect(third(1, 0, 1, bad, 1)).toEqual([notWhole, 2]);
      expect(third(1, 0, 1, 5, bad)).toEqual([notWhole, 2]);
    }
  });

  it('refuses ranks, extents and sizes that do not fit', () => {
    expect(third(1, 0, 9, ...new Array<number>(18).fill(1))).toEqual([wrongRank, 2]);
    expect(third(...vector(1, 5, 1))).toEqual([tooFar, 2]);
    expect(third(...vector(0, 5, 2 ** 52))).toEqual([tooFar, 2]);
    expect(third(...vector(2 ** 53 - 1, 5, 2 ** 53 - 1))).toEqual([tooFar, 2]);
    expect(third(...vector(0, 4, 1))).toEqual([differ, 2]);
    expect(third(1, 0, 3, 2 ** 27, 2 ** 27, 5, 0, 0, 1)).toEqual([tooLarge, 2]);
    expect(third(0)).toEqual([missing, 2]);
  });

  it('refuses the wrong number of numbers or operands', () => {
    for (let length = 0; length < good.length; length++) expect(run(good.slice(0, length), fresh())).not.toBe(0);
    expect(run([...good, 0], fresh()) & 31).toBe(count);
    expect(run(good, fresh().slice(0, 2)) & 31).toBe(count);
    expect(run(good, [...fresh(), null]) & 31).toBe(count);
  });

  it('refuses wrong element types, broadcast outputs and overlap', () => {
    const [out, a] = fresh() as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
    expect(run(good, [out, a, new Int32Array(5)])).toBe(wrongType + 32 * 2);
    expect(run(good, [out, a, null])).toBe(missing + 32 * 2);
    const flat = [...vector(0, 5, 0), ...vector(0, 5, 1), ...vector(0, 5, 1), 0];
    expect(run(flat, fresh())).toBe(broadcast);
    const memory = new ArrayBuffer(64);
    const shifted = [new Float32Array(memory, 0, 5), new Float32Array(memory, 4, 5), a];
    expect(run(good, shifted)).toBe(overlap + 32);
    expect(run(good, [out, out, a])).toBe(0);
  });

  it('survives whatever numbers it gets', () => {
    const number = fc.oneof(
      fc.nat(9),
      fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308),
      fc.double(),
    );
    const names = Object.values(signatures);
    fc.assert(
      fc.property(fc.nat(names.length - 1), fc.array(number, { maxLength: 200 }), (kernel, numbers) => {
        const memory = names[kernel]?.operands.map(({ dtype }) =>
          dtype === 'f32' ? new Float32Array(8) : dtype === 'i32' ? new Int32Array(8) : new Uint8Array(8),
        );
        return Number.isInteger(run(numbers, memory ?? [], kernel));
      }),
      { numRuns: 3000 },
    );
  });
});

describe.skipIf(!built)('addon', () => {
  const call = native?.call as (...values: unknown[]) => number;
  const numbers = Float64Array.from(good);

  it('throws for values that are not what it takes', () => {
    const [out, a, b] = fresh();
    for (const bad of [undefined, 'x', {}, -1, 0.5, 99, 2 ** 40]) {
      expect(() => call(bad, 1, binary, numbers, good.length, out, a, b)).toThrow(TypeError);
      expect(() => call(0, bad, binary, numbers, good.length, out, a, b)).toThrow(TypeError);
      expect(() => call(0, 1, bad, numbers, good.length, out, a, b)).toThrow(TypeError);
      expect(() => call(0, 1, binary, bad, good.length, out, a, b)).toThrow(TypeError);
      if (bad !== 99) expect(() => call(0, 1, binary, numbers, bad, out, a, b)).toThrow(TypeError);
      if (bad !== undefined) expect(() => call(0, 1, binary, numbers, good.length, out, a, bad)).toThrow(TypeError);
    }
    expect(() => call()).toThrow(TypeError);
    expect(() => call(0, 1, binary, numbers, good.length, ...new Array(maxOperands + 1).fill(out))).toThrow(TypeError);
    expect(() => call(0, 1, binary, numbers, good.length + 1, out, a, b)).toThrow(TypeError);
    expect(() => call(0, 1, binary, new Float64Array(0), 0, out, a, b)).toThrow(TypeError);
    for (const Kind of [Float64Array, Int8Array, Uint8ClampedArray, Uint32Array, BigInt64Array, DataView])
      expect(() =>
        call(0, 1, binary, numbers, good.length, out, a, new (Kind as typeof Int8Array)(new ArrayBuffer(64))),
      ).toThrow(TypeError);
  });

  it('refuses shared memory', () => {
    const shared = new Float32Array(new SharedArrayBuffer(20));
    expect(() => call(0, 1, binary, numbers, good.length, new Float32Array(5), shared, shared)).toThrow(/unshared/);
  });

  it('refuses detached memory and resizable memory that shrank', () => {
    const [out, a, b] = fresh() as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
    structuredClone(b.buffer, { transfer: [b.buffer] });
    expect(run(good, [out, a, b])).toBe(tooFar + 32 * 2);
    const resizable = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(20, {
      maxByteLength: 64,
    });
    const views = [new Float32Array(resizable), new Float32Array(resizable, 0, 5)];
    (resizable as unknown as { resize(n: number): void }).resize(8);
    for (const view of views) expect(run(good, [out, a, view])).toBe(tooFar + 32 * 2);
  });

  it('works in several threads at once and lets them end', async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const addon = require(workerData.path);
      const N = 200_000, out = new Float32Array(N), a = new Float32Array(N).fill(1), b = new Float32Array(N).fill(2);
      const numbers = Float64Array.from([1, 0, 1, N, 1, 1, 0, 1, N, 1, 1, 0, 1, N, 1, 0]);
      let codes = 0;
      for (let i = 0; i < 200; i++) codes += addon.call(0, 2, workerData.binary, numbers, 16, out, a, b);
      parentPort.postMessage(codes === 0 && out.every((x) => x === 3));`;
    const outcomes = Array.from({ length: 4 }, () => {
      const worker = new Worker(source, { eval: true, workerData: { path: addonPath(), binary } });
      return new Promise((resolve, reject) => {
        let answer: unknown;
        worker.on('message', (message) => {
          answer = message;
        });
        worker.on('error', reject);
        worker.on('exit', (code) => resolve([answer, code]));
      });
    });
    expect(await Promise.all(outcomes)).toEqual(new Array(4).fill([true, 0]));
    expect(run(good, fresh())).toBe(0);
  });
});
