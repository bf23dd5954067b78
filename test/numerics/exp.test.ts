/** N7: exp on [-104, 0] is within 2 units in the last place, measured on every 97th float32, subnormal results too. */

import { beforeAll, expect, it } from 'vitest';
import type { Backend, View } from '../../src/backend/contract.js';
import { unaryOps } from '../../src/backend/kernels.generated.js';
import { type Accuracy, beyondStated, handOver, note } from '../conformance/accuracy.js';
import { type Subject, subjects } from '../conformance/subjects.js';
import { forEachSubject } from '../conformance/suite.js';

const stride = 97;
const chunk = 1 << 20;
const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] as number;

/** One over the distance between neighbouring float32 numbers, by exponent bits. */
const perUnit = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (150 - Math.max(exponent, 1)));

/** Every 97th float32 from -0 down to -104, in pieces. */
function* everyPiece(): Generator<Float32Array> {
  const [first, last] = [bitsOf(-0), bitsOf(-104)];
  for (let bits = first; bits <= last; bits += stride * chunk) {
    const count = Math.min(chunk, Math.floor((last - bits) / stride) + 1);
    yield new Float32Array(Uint32Array.from({ length: count }, (_, index) => bits + index * stride).buffer);
  }
}

/** Largest error of one backend on one piece, in units in the last place of the truth. */
function worstError(backend: Backend, values: Float32Array, truth: Float64Array, units: Float64Array): number {
  const view = (): View => ({
    buffer: backend.alloc('f32', values.length),
    offset: 0,
    shape: [values.length],
    strides: [1],
  });
  const [a, out] = [view(), view()];
  backend.write(a.buffer, 0, values);
  backend.run('unary_f32', { out, a }, { op: unaryOps.indexOf('exp') });
  const got = backend.read(out.buffer, 0, values.length);
  let worst = 0;
  for (let index = 0; index < values.length; index++) {
    const error = Math.abs((got[index] as number) - (truth[index] as number)) * (units[index] as number);
    if (!(error <= worst)) worst = error;
  }
  for (const { buffer } of [a, out]) backend.free(buffer);
  return worst;
}

const worst = new Map<Subject, number>();

beforeAll(() => {
  for (const values of everyPiece()) {
    const truth = Float64Array.from(values, Math.exp);
    const bits = new Uint32Array(Float32Array.from(truth).buffer);
    const units = Float64Array.from(bits, (word) => perUnit[word >>> 23] as number);
    for (const subject of subjects) {
      if (subject.backend === undefined) continue;
      const error = worstError(subject.backend, values, truth, units);
      if (!(error <= (worst.get(subject) ?? 0))) worst.set(subject, error);
    }
  }
}, 600_000);

forEachSubject((_, subject) => {
  it('exp within 2 units in the last place', () => {
    const error = worst.get(subject) as number;
    if (process.env.KEYHOLE_REPORT) console.info(`${subject.name}, exp: ${error.toFixed(3)} ulp`);
    expect(error).toBeGreaterThan(0.4); // it was measured
    expect(error).toBeLessThanOrEqual(2);
    const accuracy: Accuracy = new Map();
    note(accuracy, 'exp on [-104, 0], in units in the last place', 'large', error);
    if (!handOver(subject.name, accuracy)) expect(beyondStated(subject.name, accuracy)).toEqual([]);
  });
});
