/** N10: 100 AdamW steps stay within 1e-6 (relative to the parameters' size) of the float64 run. */

import { expect, it } from 'vitest';
import type { Backend, View } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/createReferenceBackend.js';
import { RandomStream } from '../../src/core/random.js';
import { forEachSubject } from '../conformance/suite.js';
import { maximumError } from './naive.js';

const N = 257;
const steps = 100;

function normals(seed: number, scale: number): Float32Array {
  const random = new RandomStream(seed);
  return Float32Array.from({ length: N }, () => scale * random.normal());
}

const gradients = Array.from({ length: steps }, (_, index) => normals(index + 2, 0.1));

function train(backend: Backend): Float64Array {
  const place = (values: ArrayLike<number>): View => {
    const buffer = backend.alloc('f32', N);
    backend.write(buffer, 0, values);
    return { buffer, offset: 0, shape: [N], strides: [1] };
  };
  const zeros = new Float32Array(N);
  const [parameter, m, v, gradient] = [normals(1, 1), zeros, zeros, zeros].map(place) as [View, View, View, View];
  gradients.forEach((values, index) => {
    backend.write(gradient.buffer, 0, values);
    backend.run(
      'adamw_f32',
      { parameter, m, v, gradient },
      { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01, step: index + 1, gradientScale: 0.5 },
    );
  });
  return Float64Array.from(backend.read(parameter.buffer, 0, N));
}

const truth = train(createReferenceBackend({ precision: 'f64' }));
const size = Math.max(...truth.map(Math.abs));

forEachSubject((backend) => {
  it('100 steps of AdamW', () => {
    const trained = train(backend);
    expect(maximumError(trained, truth)).toBeLessThanOrEqual(1e-6 * size);
    expect(maximumError(trained, normals(1, 1))).toBeGreaterThan(1e-3);
  });
});
