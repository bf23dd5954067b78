/**
 * The machine's limits as WebAssembly meets them, by a module of two functions written here byte by byte, so that the
 * kernels' modules stay without it: chains of multiply-adds in registers, and a copy. native/measure.h is its sibling.
 */

import type { MachineLimits } from '../machineLimits.js';

interface Exports {
  multiplyAdd(rounds: number): number;
  copy(to: number, from: number, bytes: number): void;
}

/** Chains of a round, enough to hide the latency of two units. V8 keeps a register of 16 to itself; 14 ran at half speed. */
const chains = 12;
const lanes = 4;
const rounds = 1000;
/** Short calls, many of them: the engine compiles well what is called often. */
const callsPerRun = 500;
const runs = 40;
const copiedBytes = 64 * 2 ** 20;

// Codes of the binary format (WebAssembly 3.0, chapter 5).
const [i32, f32, v128, nothing] = [0x7f, 0x7d, 0x7b, 0x40];
const [localGet, localSet, localTee, loop, branchIf, end] = [0x20, 0x21, 0x22, 0x03, 0x0d, 0x0b];
const i32Const = (value: number): number[] => [0x41, value];
const [i32Subtract, f32Convert] = [0x6b, 0xb2];
const vector = (code: number): number[] => [0xfd, ...leb(code)];
const [splat, extractLane, add, multiply, fused] = [0x13, 0x1f, 0xe4, 0xe6, 0x105].map(vector) as Five;
const memoryCopy = [0xfc, 10, 0, 0];
type Five = [number[], number[], number[], number[], number[]];

/** Limits of one thread; `relaxed` has fused multiply-add. */
export function measureWasmLimits(relaxed: boolean): MachineLimits {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(relaxed)));
  const { multiplyAdd, copy } = exports as unknown as Exports;
  const chainSeconds = fastest(() => {
    for (let call = 0; call < callsPerRun; call++) multiplyAdd(rounds);
  });
  const copySeconds = fastest(() => copy(0, copiedBytes, copiedBytes));
  return {
    peakGflops: (2 * lanes * chains * rounds * callsPerRun) / chainSeconds / 1e9,
    copyGigabytesPerSecond: (2 * copiedBytes) / copySeconds / 1e9,
  };
}

function fastest(work: () => void): number {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best / 1000;
}

/** multiplyAdd(rounds: i32): f32 and copy(to, from, bytes: i32), over a memory that holds both arrays. */
function moduleBytes(relaxed: boolean): Uint8Array<ArrayBuffer> {
  const types = [
    [0x60, 1, i32, 1, f32],
    [0x60, 3, i32, i32, i32, 0],
  ];
  const copy = [0, ...[0, 1, 2].flatMap((local) => [localGet, local]), ...memoryCopy, end];
  const bodies = [multiplyAddBody(relaxed), copy].map((body) => [...leb(body.length), ...body]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(3, [[0], [1]]),
    ...section(5, [[0, ...leb((2 * copiedBytes) / 65536)]]),
    ...section(7, [exported('multiplyAdd', 0), exported('copy', 1)]),
    ...section(10, bodies),
  ]);
}

/** Local 0 counts down; 1 … `chains` are x, each x = x·factor + summand; then factor and summand. Gives the sum of x. */
function multiplyAddBody(relaxed: boolean): number[] {
  const [factor, summand] = [chains + 1, chains + 2];
  const own = Array.from({ length: chains }, (_, index) => index + 1);
  const operands = (x: number): number[] =>
    relaxed
      ? [localGet, x, localGet, factor, localGet, summand, ...fused]
      : [localGet, x, localGet, factor, ...multiply, localGet, summand, ...add];
  return [
    ...[1, chains + 2, v128],
    ...own.flatMap((x) => [...i32Const(x), f32Convert, ...splat, localSet, x]),
    ...[...vector(0x0c), ...constant(0.5), localSet, factor, ...vector(0x0c), ...constant(1), localSet, summand],
    ...[loop, nothing, ...own.flatMap((x) => [...operands(x), localSet, x])],
    ...[localGet, 0, ...i32Const(1), i32Subtract, localTee, 0, branchIf, 0, end],
    ...own.flatMap((x, index) => [localGet, x, ...(index > 0 ? add : [])]),
    ...[...extractLane, 0, end],
  ];
}

/** Four times a float32, little-endian. */
function constant(value: number): number[] {
  return Array.from(new Uint8Array(Float32Array.of(value, value, value, value).buffer));
}

function exported(name: string, index: number): number[] {
  return [name.length, ...Array.from(name, (letter) => letter.charCodeAt(0)), 0, index];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [...leb(items.length), ...items.flat()];
  return [id, ...leb(content.length), ...content];
}

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
