/**
 * Positions equal what golden.py computes from the papers' formulas, pair by pair and in float64: results and gradients, on
 * every backend. How to write golden.json again is said in golden.py.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type AttentionOptions,
  alibi,
  attention,
  causal,
  type RotaryOptions,
  rotate,
  shaw,
  t5Bias,
  t5Bucket,
} from '../../src/attention/index.js';
import type { Backend } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { backward, multiply, sum, type Tensor, tensor } from '../../src/tensor/index.js';
import { forEachSubject } from '../conformance/suite.js';

type Nested = readonly (number | Nested)[];

interface AttentionCase {
  readonly inputs: Readonly<Record<string, Nested>>;
  readonly dout: Nested;
  readonly out: Nested;
  readonly gradients: Readonly<Record<string, Nested>>;
}

interface Golden {
  readonly shaw: AttentionCase;
  readonly t5: AttentionCase;
  readonly alibi: AttentionCase;
  readonly buckets: readonly {
    readonly bidirectional: boolean;
    readonly buckets: number;
    readonly maxDistance: number;
    readonly from: number;
    readonly values: readonly number[];
  }[];
  readonly rotary: readonly {
    readonly width: number;
    readonly interleaved: boolean;
    readonly kind: 'linear' | 'ntk' | 'yarn' | null;
    readonly factor: number;
    readonly trained: number;
    readonly offset: number;
    readonly x: Nested;
    readonly out: Nested;
  }[];
}

const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Golden;

type Inputs = Readonly<Record<string, Tensor>>;

/** Golden arrays are [H, L, D]; tables keep their rank. */
function placed(backend: Backend, name: string, values: Nested): Tensor {
  const x = tensor(values as never, undefined, { backend, requiresGrad: true });
  return ['q', 'k', 'v', 'dout', 'out'].includes(name)
    ? tensor(x.toArray(), [1, ...x.shape], { backend, requiresGrad: true })
    : x;
}

function expectClose(got: Tensor, wanted: Nested, allowed: number): void {
  const truth = (wanted.flat(4) as number[]) ?? [];
  const values = got.toArray();
  expect(values.length).toBe(truth.length);
  truth.forEach((value, at) => {
    expect(Math.abs((values[at] as number) - value)).toBeLessThanOrEqual(allowed);
  });
}

const mechanisms: Readonly<Record<'shaw' | 't5' | 'alibi', (inputs: Inputs) => AttentionOptions>> = {
  shaw: ({ keys, values }) => ({ bias: shaw({ keys: keys as Tensor, values: values as Tensor }) }),
  t5: ({ weight }) => ({ bias: t5Bias(weight as Tensor, { maxDistance: 6 }), scale: 1, offset: 1 }),
  alibi: ({ slopes }) => ({ bias: alibi(slopes as Tensor), mask: causal(), offset: 2 }),
};

function expectEqual(backend: Backend, name: keyof typeof mechanisms, allowed: number): void {
  const given = golden[name];
  const inputs: Inputs = Object.fromEntries(
    Object.entries(given.inputs).map(([key, values]) => [key, placed(backend, key, values)]),
  );
  const { out } = attention(inputs.q as Tensor, inputs.k as Tensor, inputs.v as Tensor, mechanisms[name](inputs));
  expectClose(out, given.out, allowed);
  backward(sum(multiply(out, placed(backend, 'dout', given.dout))));
  for (const [key, gradient] of Object.entries(given.gradients))
    expectClose(inputs[key]?.grad as Tensor, gradient, 4 * allowed);
}

function rotaryOptions({ kind, factor, trained, ...rest }: Golden['rotary'][number]): RotaryOptions {
  const { width, interleaved, offset } = rest;
  if (kind === null) return { width, interleaved, offset };
  const scaling = kind === 'yarn' ? { kind, factor, trainedLength: trained } : { kind, factor };
  return { width, interleaved, offset, scaling };
}

describe('float64', () => {
  const backend = createReferenceBackend({ precision: 'f64' });
  // Slopes, cos, sin and penalties pass through float32 on their way in; the values here are exact in it but for cos and sin.
  it.each(['shaw', 't5', 'alibi'] as const)('%s', (name) => expectEqual(backend, name, 1e-10));
});

forEachSubject((backend) => {
  it.each(['shaw', 't5', 'alibi'] as const)('%s', (name) => expectEqual(backend, name, 2e-6));

  it.each(golden.rotary.map((given, at) => [at, given] as const))('rotary %i', (_, given) => {
    const x = placed(backend, 'q', given.x);
    expectClose(rotate(x, rotaryOptions(given)), given.out, 2e-6);
  });
});

it.each(golden.buckets)('buckets of T5: $buckets, bidirectional $bidirectional', ({ from, values, ...options }) => {
  expect(values.map((_, at) => t5Bucket(from + at, options))).toEqual(values);
});
