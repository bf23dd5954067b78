/**
 * Operands that are not what their type says: getters that throw or change their answer, proxies, symbols, BigInts,
 * ranks without end. Every backend refuses them with an error and writes nothing. The addon's own door:
 * ../native/hostile.test.ts.
 */

import { expect, it } from 'vitest';
import type { Backend, View } from '../../src/backend/contract.js';
import { forEachSubject } from './suite.js';

const size = 8;

function vector(backend: Backend): View {
  const buffer = backend.alloc('f32', size);
  backend.write(buffer, 0, new Float32Array(size).fill(7));
  return { buffer, offset: 0, shape: [size], strides: [1] };
}

const throws = (): never => {
  throw new RangeError('a getter threw');
};

/** Answers `first` once, and `then` ever after. */
function changing<Key extends keyof View>(view: View, key: Key, first: View[Key], then: View[Key]): View {
  let asked = 0;
  return Object.defineProperty({ ...view }, key, { get: () => (asked++ === 0 ? first : then) });
}

const wrong = (value: unknown): never => value as never;

/** What becomes of a good view. */
const spoilers: Readonly<Record<string, (view: View) => View>> = {
  'an offset that throws': (view) => Object.defineProperty({ ...view }, 'offset', { get: throws }),
  'a shape that throws': (view) => Object.defineProperty({ ...view }, 'shape', { get: throws }),
  'a buffer that throws': (view) => Object.defineProperty({ ...view }, 'buffer', { get: throws }),
  'a shape that grows': (view) => changing(view, 'shape', [size], [1 << 20]),
  'strides that grow': (view) => changing(view, 'strides', [1], [1 << 20]),
  'an offset that grows': (view) => changing(view, 'offset', 0, 1 << 20),
  'a rank that grows': (view) => changing(view, 'shape', [size], [size, size, size]),
  'a proxy that throws': (view) => new Proxy(view, { get: throws }),
  'a symbol in its shape': (view) => ({ ...view, shape: [wrong(Symbol('size'))] }),
  'a BigInt in its shape': (view) => ({ ...view, shape: [wrong(8n)] }),
  'a BigInt as offset': (view) => ({ ...view, offset: wrong(0n) }),
  'an object in its strides': (view) => ({ ...view, strides: [wrong({ valueOf: throws })] }),
  'a rank of 400': (view) => ({ ...view, shape: Array(400).fill(1), strides: Array(400).fill(1) }),
  'no shape': (view) => ({ ...view, shape: wrong(undefined) }),
  'a string as shape': (view) => ({ ...view, shape: wrong('x') }),
  'no buffer': (view) => ({ ...view, buffer: wrong(null) }),
  'a typed array as buffer': (view) => ({ ...view, buffer: wrong(new Float32Array(size)) }),
  'a look-alike as buffer': (view) => ({ ...view, buffer: { ...view.buffer } }),
  'null for a view': () => wrong(null),
  'a number for a view': () => wrong(5),
};

/** A getter that changes its answer may also be asked only once: then the call is a good one. */
function run(backend: Backend, out: View, a: View, b: View): 'done' | 'refused' {
  try {
    backend.run('binary_f32', { out, a, b }, { op: 0 });
    return 'done';
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return 'refused';
  }
}

forEachSubject((backend) => {
  it.each(Object.entries(spoilers))('%s', (what, spoil) => {
    for (const place of [0, 1, 2]) {
      const views = [vector(backend), vector(backend), vector(backend)] as [View, View, View];
      const spoilt = views.map((view, index) => (index === place ? spoil(view) : view)) as [View, View, View];
      const outcome = run(backend, ...spoilt);
      if (!/grow/.test(what)) expect(outcome).toBe('refused');
      const sums = outcome === 'done' ? 14 : 7;
      const [out, a, b] = views.map(({ buffer }) => [...new Set(backend.read(buffer, 0, size))]);
      expect([out, a, b]).toEqual([[sums], [7], [7]]);
      for (const { buffer } of views) backend.free(buffer);
    }
  });
});
