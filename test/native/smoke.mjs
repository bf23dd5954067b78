// A few kernels of the baseline target through the addon's own door, for scripts/test-valgrind.mjs: `node smoke.mjs
// <addon>`. Plain JavaScript and short, since valgrind slows it down thirty times.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const addon = createRequire(import.meta.url)(process.argv[2]);
const target = addon.targets().indexOf('baseline');
const definitions = readFileSync(new URL('../../native/kernels.def', import.meta.url), 'utf8');
const words = (text) => text.split(' ').filter((word) => word !== '');
const kernels = [...definitions.matchAll(/^KERNEL\((\w+), "([^"]*)", "([^"]*)"\)/gm)].map(
  ([, name, operands, scalars]) => ({
    name,
    operands: words(operands).map((operand) => operand.split(':')[0]),
    scalars: words(scalars),
  }),
);

function packedStrides(shape) {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
}

/** Runs a kernel on packed arrays by name. Operands not named are left out, scalars not named are 0. */
function run(name, threads, operands, scalars = {}) {
  const index = kernels.findIndex((kernel) => kernel.name === name);
  const given = kernels[index].operands.map((operand) => operands[operand]);
  const numbers = given.flatMap((operand) =>
    operand ? [1, 0, operand.shape.length, ...operand.shape, ...packedStrides(operand.shape)] : [0],
  );
  const call = Float64Array.from([...numbers, ...kernels[index].scalars.map((scalar) => scalars[scalar] ?? 0)]);
  const memory = given.map((operand) => operand?.values ?? null);
  assert.equal(addon.call(target, threads, index, call, call.length, ...memory), 0, name);
}

const array = (shape, value = (at) => ((at * 7) % 11) / 11 - 0.4) => ({
  shape,
  values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => value(at)),
});
const sum = ({ values }) => values.reduce((a, b) => a + b, 0);

const zeros = (...shape) => array(shape, () => 0);
const some = (...shape) => array(shape);

for (const threads of [1, 2]) {
  const out = zeros(37);
  run('binary_f32', threads, { out, a: some(37), b: some(37) });
  assert.ok(Math.abs(sum(out) - 2 * sum(some(37))) < 1e-4);

  const product = zeros(1, 2, 13, 17);
  run('matmul_f32', threads, { out: product, a: some(1, 2, 13, 9), b: some(1, 2, 9, 17) }, { alpha: 1 });
  assert.notEqual(sum(product), 0);

  const [attended, lse] = [zeros(1, 4, 11, 7), zeros(1, 4, 11)];
  const inputs = { q: some(1, 4, 11, 5), k: some(1, 2, 33, 5), v: some(1, 2, 33, 7) };
  const scores = { scale: 0.4, left: Infinity, right: 9, offset: 13 };
  run('attention_forward_f32', threads, { out: attended, lse, ...inputs }, scores);
  assert.ok(lse.values.every(Number.isFinite));

  const [dq, dk, dv] = [zeros(1, 4, 11, 5), zeros(1, 2, 33, 5), zeros(1, 2, 33, 7)];
  const backward = { dq, dk, dv, dout: some(1, 4, 11, 7), out: attended, lse, ...inputs };
  run('attention_backward_f32', threads, backward, scores);
  assert.ok(dk.values.every(Number.isFinite));

  const normed = zeros(5, 19);
  run('layer_norm_f32', threads, { out: normed, mean: zeros(5), rstd: zeros(5), x: some(5, 19) }, { epsilon: 1e-5 });
  assert.ok(normed.values.every(Number.isFinite));
}
assert.ok(addon.lastTarget().startsWith('baseline/'));
console.log('smoke: all kernels ran');
