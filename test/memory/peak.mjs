// What memory.test.ts runs in a process of its own: attention of one head over L positions, D = 64, and how far the
// resident memory rose above q, k, v, out (and their gradients). `node peak.mjs <dist> <JSON>`; prints bytes and seconds.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { backend: name, target, threads, pass, L, left, right } = JSON.parse(process.argv[3]);
const { loadBackend } = await import(pathToFileURL(`${process.argv[2]}/backend/index.js`).href);
const { statisticNames } = await import(pathToFileURL(`${process.argv[2]}/core/records.js`).href);
const backend = await loadBackend({ backend: name, target, threads });
const D = 64;

/** A buffer that is resident: every page is written, without much garbage beside it. */
function packed(shape, fill) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const length = shape[0] * strides[0];
  const buffer = backend.alloc('f32', length);
  const piece = new Float32Array(4096);
  for (let at = 0; at < length; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, length - at));
    for (let index = 0; index < part.length; index++) part[index] = fill(at + index);
    backend.write(buffer, at, part);
  }
  return { buffer, offset: 0, shape, strides };
}

let state = 1;
const noise = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 31 - 1;
};
const zero = () => 0;
const rows = [1, 1, L, D];
const [q, k, v, out] = [noise, noise, noise, zero].map((fill) => packed(rows, fill));
const scalars = { scale: 1 / 8, softcap: 0, left: left ?? Infinity, right: right ?? Infinity, offset: 0, reach: 0 };
const dropout = { dropoutRate: 0, seed: 0, stream: 0, window: 16 };

const field = (label) =>
  1024 * Number(new RegExp(`${label}:\\s*(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1]);

/** Peak resident memory during `work`, above what is resident before. */
function rise(work) {
  writeFileSync('/proc/self/clear_refs', '5'); // forget the peak so far
  const before = field('VmRSS');
  const start = performance.now();
  work();
  const seconds = (performance.now() - start) / 1000;
  return { extraBytes: field('VmHWM') - before, seconds };
}

function forward() {
  const lse = packed([1, 1, L], zero);
  const statistics = packed([statisticNames.length, 1, 1, L], zero);
  backend.run('attention_forward_f32', { out, lse, statistics, q, k, v }, { ...scalars, ...dropout });
  return lse;
}

if (pass === 'forward') {
  console.log(JSON.stringify(rise(forward)));
} else {
  const lse = forward();
  const [dq, dk, dv, dout] = [zero, zero, zero, noise].map((fill) => packed(rows, fill));
  const operands = { dq, dk, dv, dout, out, lse, q, k, v };
  console.log(JSON.stringify(rise(() => backend.run('attention_backward_f32', operands, { ...scalars, ...dropout }))));
}
