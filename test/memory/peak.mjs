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

/** The same call over the first 64 positions, so often that the engine has compiled it: its memory is not attention's. */
async function compile(kernel, operands, scalars) {
  const first = ({ shape, ...view }) => ({ ...view, shape: shape.map((size) => (size === L ? 64 : size)) });
  const small = Object.fromEntries(Object.entries(operands).map(([operand, view]) => [operand, first(view)]));
  for (let run = 0; run < 20; run++) {
    backend.run(kernel, small, scalars);
    await new Promise((resolve) => setTimeout(resolve, 10)); // compiling goes on beside
  }
}

/** Peak resident memory of a call, above what is resident before. */
async function rise(kernel, operands, scalars) {
  await compile(kernel, operands, scalars);
  writeFileSync('/proc/self/clear_refs', '5'); // forget the peak so far
  const before = field('VmRSS');
  const start = performance.now();
  backend.run(kernel, operands, scalars);
  const seconds = (performance.now() - start) / 1000;
  return { extraBytes: field('VmHWM') - before, seconds };
}

const all = { ...scalars, ...dropout };
const lse = packed([1, 1, L], zero);
const statistics = packed([statisticNames.length, 1, 1, L], zero);
const forward = { out, lse, statistics, q, k, v };
if (pass === 'forward') {
  console.log(JSON.stringify(await rise('attention_forward_f32', forward, all)));
} else {
  backend.run('attention_forward_f32', forward, all);
  const [dq, dk, dv, dout] = [zero, zero, zero, noise].map((fill) => packed(rows, fill));
  console.log(JSON.stringify(await rise('attention_backward_f32', { dq, dk, dv, dout, out, lse, q, k, v }, all)));
}
