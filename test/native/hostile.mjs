// What hostile.test.ts runs in a process of its own, since a fault in the addon would end it: every exported function
// gets everything that JavaScript can hand over. `node hostile.mjs <addon> <index of binary_f32> <runs> [seed]` prints
// one JSON object: how many calls were refused and accepted, and what broke a rule. The rules: a function returns or
// throws an Error with a code, whatever it was called with; a refused call changes no byte of its memory.
import { createRequire } from 'node:module';
import fc from 'fast-check';

const [, , path, binary, runs, seed] = process.argv.map((word, at) => (at === 3 ? Number(word) : word));
const addon = createRequire(import.meta.url)(path);
const target = addon.targets().findIndex((name) => name !== null);
const faults = [];
const tally = { refused: 0, accepted: 0 };

/** A typed array whose buffer was given away. */
function detached() {
  const array = new Float32Array(8);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** Views of a resizable buffer after it shrank under them. */
function shrunk(track) {
  const buffer = new ArrayBuffer(32, { maxByteLength: 64 });
  const view = track ? new Float32Array(buffer) : new Float32Array(buffer, 0, 8);
  buffer.resize(8);
  return view;
}

function grown() {
  const buffer = new ArrayBuffer(8, { maxByteLength: 4096 });
  const view = new Float32Array(buffer);
  buffer.resize(4096);
  return view;
}

/** Typed arrays that say one thing about themselves and are another. */
function lying(property, value) {
  const array = new Float32Array(8);
  Object.defineProperty(array, property, typeof value === 'function' ? { get: value } : { value });
  return array;
}

class Longer extends Float32Array {
  get length() {
    return 2 ** 40;
  }
}

const thrower = () => {
  throw new Error('a getter threw');
};
const handler = { get: thrower, has: thrower, getPrototypeOf: thrower, ownKeys: thrower };

/** Makers, so that every call gets values nobody spoilt before. */
const makers = [
  ...[undefined, null, true, false, '', '7', 'x'.repeat(1e5), 0n, 2n ** 70n, Symbol('s'), Symbol.iterator].map(
    (value) => () => value,
  ),
  ...[0, -0, 1, 2, 5, 16, 64, 65, 99, -1, 0.5, 1e-320, 2 ** 31, 2 ** 32, -(2 ** 31), 2 ** 53, 1e308].map(
    (x) => () => x,
  ),
  ...[Number.NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER].map((x) => () => x),
  () => ({}),
  () => [],
  () => [1, 2, 3],
  () => Object.create(null),
  () => Object(3),
  () => ({ valueOf: thrower, toString: thrower, [Symbol.toPrimitive]: thrower }),
  () => new Date(),
  () => new Map(),
  () => Promise.resolve(1),
  () => thrower,
  () => class {},
  () => globalThis,
  () => addon,
  () => new Proxy({}, handler),
  () => new Proxy(new Float32Array(8), handler),
  () => new Proxy(new Float64Array(8), {}),
  () => new WeakRef({}),
  () => new ArrayBuffer(64),
  () => new SharedArrayBuffer(64),
  () => new DataView(new ArrayBuffer(64)),
  () => new Float32Array(new SharedArrayBuffer(64)),
  () => new Float64Array(new SharedArrayBuffer(64)),
  ...[Float32Array, Float64Array, Int32Array, Uint8Array].flatMap((Kind) => [
    () => new Kind(0),
    () => new Kind(8),
    () => new Kind(400),
    () => new Kind(new ArrayBuffer(64), 8, 2),
    () => Object.setPrototypeOf(new Kind(8), null),
    () => Object.setPrototypeOf(new Kind(8), Array.prototype),
  ]),
  ...[Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Uint32Array, BigInt64Array, BigUint64Array].map(
    (Kind) => () => new Kind(8),
  ),
  () => Buffer.alloc(7),
  () => new Float32Array(new WebAssembly.Memory({ initial: 1 }).buffer),
  () => new Longer(8),
  () => lying('length', 2 ** 30),
  () => lying('byteOffset', -64),
  () => lying('buffer', new ArrayBuffer(1)),
  () => lying('length', thrower),
  () => lying('buffer', thrower),
  () => Object.freeze({ length: 8, 0: 1 }),
  detached,
  () => shrunk(true),
  () => shrunk(false),
  grown,
];

const anything = fc.nat(makers.length - 1).map((at) => makers[at]);
const number = fc.oneof(
  fc.nat(9),
  fc.constantFrom(-1, 0.5, Number.NaN, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308, 2 ** 62),
  fc.double(),
);

const guard = 176;
/** The bytes that a value leads to, to see whether they change. */
function bytesOf(value) {
  try {
    return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, 0, value.buffer.byteLength) : undefined;
  } catch {
    return undefined; // it lies about its buffer, or it has none
  }
}

/** Calls and checks the rules; `returned` says whether what came back means that the call was refused. */
function attempt(label, call, values, returned) {
  const watched = values.flatMap((value) => bytesOf(value) ?? []).filter((bytes) => bytes.length > 0);
  const before = watched.map((bytes) => bytes.slice());
  let refused = true;
  try {
    refused = returned(call(...values));
  } catch (error) {
    if (!(error instanceof Error) || typeof error.code !== 'string') faults.push(`${label}: threw ${String(error)}`);
  }
  tally[refused ? 'refused' : 'accepted']++;
  const same = (bytes, at) => bytes.length === before[at].length && Buffer.compare(bytes, before[at]) === 0;
  if (refused && !watched.every(same)) faults.push(`${label}: refused, and wrote`);
}

/** Answers are codes from `call`, numbers, strings or lists from the others. */
const answered = { call: (code) => code !== 0 };
// Without good arguments these two would measure for a tenth of a second; only wrong ones are of interest.
const measures = new Set(['multiplyAddRate', 'copyRate']);

/** One wrong value at a time, in a call that is right otherwise. */
function oneByOne() {
  const vector = [1, 0, 1, 8, 1];
  const numbers = Float64Array.from([...vector, ...vector, ...vector, 0]);
  const memory = () => Array.from({ length: 3 }, () => new Float32Array(8).fill(guard));
  const fresh = () => [target, 2, binary, numbers.slice(), numbers.length, ...memory()];
  for (const maker of makers)
    for (let at = 0; at < 8; at++) {
      const values = fresh();
      values[at] = maker();
      attempt(`call argument ${at}: ${describe(values[at])}`, addon.call, values, answered.call);
    }
}

function describe(value) {
  try {
    return `${typeof value} ${String(value).slice(0, 40)}`;
  } catch {
    return typeof value;
  }
}

/** Any values in any number, on any receiver. */
function atRandom(name) {
  const property = fc.property(fc.array(anything, { maxLength: 24 }), anything, (list, receiver) => {
    const values = list.map((make) => make());
    if (measures.has(name) && values.every((value) => Number.isInteger(value) && value >= 0 && value <= 64)) return;
    const call = (...given) => Reflect.apply(addon[name], receiver(), given);
    attempt(`${name}(${values.map(describe)})`, call, values, answered[name] ?? (() => false));
  });
  fc.assert(property, { numRuns: Number(runs), ...(seed && { seed: Number(seed) }) });
}

/** Good values around any numbers: what the parser alone has to catch. */
function numbersAtRandom() {
  const property = fc.property(
    fc.nat(40),
    fc.array(number, { maxLength: 320 }),
    fc.array(fc.constantFrom(Float32Array, Int32Array, Uint8Array), { maxLength: 16 }),
    (kernel, numbers, kinds) => {
      const memory = kinds.map((Kind) => new Kind(8).fill(guard));
      const values = [target, 2, kernel, Float64Array.of(...numbers, 0), numbers.length, ...memory];
      attempt(`call of kernel ${kernel}`, addon.call, values, answered.call);
    },
  );
  fc.assert(property, { numRuns: Number(runs), ...(seed && { seed: Number(seed) }) });
}

oneByOne();
for (const name of Object.keys(addon)) atRandom(name);
numbersAtRandom();
// Still alive and well: the addon computes.
const sum = new Float32Array(8);
const vector = [1, 0, 1, 8, 1];
const good = Float64Array.from([...vector, ...vector, ...vector, 0]);
const eight = Float32Array.from({ length: 8 }, (_, at) => at);
if (addon.call(target, 2, binary, good, good.length, sum, eight, eight) !== 0 || sum[7] !== 14)
  faults.push('the addon no longer adds');
console.log(JSON.stringify({ ...tally, functions: Object.keys(addon), faults: faults.slice(0, 20) }));
