import { expect, test } from 'vitest';
import { StateError } from '../core/errors.js';
import { latency, percentile } from './percentile.js';

test.each([
  [[7], 0.99, 7],
  [[1, 2], 0.5, 1.5],
  [[3, 1, 2], 0.5, 2],
  [[15, 20, 35, 40, 50], 0.4, 29], // 20 + 0.6 · 15, as numpy.percentile gives
  [[10, 9, 1], 0, 1],
  [[10, 9, 1], 1, 10],
])('%j at %d is %d', (values, share, expected) => {
  expect(percentile(values, share)).toBeCloseTo(expected, 12);
});

test('latency of 1 … 101 in any order; numbers, not texts, are compared', () => {
  const values = Float32Array.from({ length: 101 }, (_, index) => ((index * 37) % 101) + 1);
  expect(latency(values)).toEqual({ p50: 51, p95: 96, p99: 100 });
  expect(values[1]).toBe(38);
});

test('no values, NaN or a bad share is a StateError', () => {
  expect(() => latency([])).toThrow(StateError);
  expect(() => latency([1, Number.NaN])).toThrow(StateError);
  for (const share of [-0.1, 1.1, 95, Number.NaN]) expect(() => percentile([1, 2], share)).toThrow(StateError);
});
