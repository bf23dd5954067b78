/** N1 at its largest size, N2 (logits to 1e4 and beyond) and N3 end to end, on every backend. */

import { expect, it } from 'vitest';
import type { Backend, Scalars } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/createReferenceBackend.js';
import { type Case, type Input, input, kernelCase, normal, within } from '../conformance/case.js';
import { conforms, execute, truthOf } from '../conformance/run.js';
import { forEachSubject } from '../conformance/suite.js';
import { maximumError, naiveBackward, naiveForward } from './naive.js';

interface Sizes {
  readonly H: number;
  readonly L: number;
  readonly S: number;
  readonly D: number;
}

const options = {
  softcap: 0,
  left: Infinity,
  right: Infinity,
  offset: 0,
  reach: 0,
  dropoutRate: 0,
  seed: 0,
  stream: 0,
  window: 2,
};

function forwardCase({ H, L, S, D }: Sizes, spread: number, adjust: (q: Input, k: Input) => Input = (q) => q): Case {
  const [q, k] = [normal([1, H, L, D], 1, { scale: spread }), normal([1, H, S, D], 2, { scale: spread })];
  return kernelCase({
    kernel: 'attention_forward_f32',
    label: `L${L} S${S} D${D}, q and k × ${spread}`,
    inputs: { q: adjust(q, k), k, v: normal([1, H, S, D], 3) },
    outputs: { out: [1, H, L, D], lse: [1, H, L] },
    scalars: { ...options, scale: 1 / Math.sqrt(D) },
    tolerance: { out: within(2e-6), lse: within(2e-6, 1e-6) },
  });
}

/** Scales each query so that its largest logit is `pinned`. */
function pinnedTo(pinned: number): (q: Input, k: Input) => Input {
  return (q, k) => {
    const [, , S, D] = k.shape as [number, number, number, number];
    const largest = (row: number): number => {
      let maximum = 0;
      for (let j = 0; j < S; j++) {
        let sum = 0;
        for (let d = 0; d < D; d++) sum += (q.values[row * D + d] as number) * (k.values[j * D + d] as number);
        maximum = Math.max(maximum, sum / Math.sqrt(D));
      }
      return maximum;
    };
    const factors = Array.from({ length: q.values.length / D }, (_, row) => pinned / largest(row));
    return input(q.shape, (index) => (q.values[index] as number) * (factors[Math.floor(index / D)] as number));
  };
}

const sharp: Sizes = { H: 1, L: 65, S: 129, D: 40 };
const spreads = [1, 10, 35, 100].map((spread) => forwardCase(sharp, spread));
const logits = [1e4, 8e4];
const pinned = logits.map((logit) => ({
  ...forwardCase(sharp, 1, pinnedTo(logit)),
  label: `logit pinned at ${logit}`,
}));
/** The largest logit of each row shares its weight with a sink as large. */
const besideSinks = logits.map((logit) => {
  const it = forwardCase(sharp, 1, pinnedTo(logit));
  return {
    ...it,
    label: `logit and sink pinned at ${logit}`,
    inputs: { ...it.inputs, sinks: input([1], () => logit) },
  };
});

/** The same with values of 1, so that `out` is the sum of each row's weights. */
function summing(forward: Case): Case {
  const v = forward.inputs.v as Input;
  return { ...forward, inputs: { ...forward.inputs, v: input(v.shape, () => 1) } };
}

/** Remembers what is the same for every backend. */
function once<Value>(compute: (it: Case) => Value): (it: Case) => Value {
  const known = new Map<Case, Value>();
  return (it) => {
    const value = known.get(it) ?? compute(it);
    known.set(it, value);
    return value;
  };
}

const naiveError = once((forward) => maximumError(naiveForward(forward).out, truthOf(forward).out as Float64Array));

const float64 = createReferenceBackend({ precision: 'f64' });

/** Gradients of one problem, forward and backward on `backend`: `out` and `lse` are its own. */
function gradients(backend: Backend, forward: Case): { readonly it: Case; readonly got: Record<string, Float64Array> } {
  const ahead = execute(backend, forward);
  const from = (name: 'out' | 'lse'): Input =>
    ({ ...input(forward.outputs[name] as number[], () => 0), values: ahead[name] as Float64Array }) as Input;
  const { q, k, v } = forward.inputs as Record<'q' | 'k' | 'v', Input>;
  const it = kernelCase({
    kernel: 'attention_backward_f32',
    label: forward.label,
    inputs: { ...forward.inputs, out: from('out'), lse: from('lse'), dout: normal(q.shape, 4) },
    outputs: { dq: q.shape, dk: k.shape, dv: v.shape },
    scalars: forward.scalars as Scalars<'attention_backward_f32'>,
    tolerance: {},
  });
  return { it, got: execute(backend, it) };
}

const gradientNames = ['dq', 'dk', 'dv'] as const;
const trueGradients = once((forward) => {
  const { it, got } = gradients(float64, forward);
  const naive = naiveBackward(it);
  return gradientNames.map((name) => {
    const truth = got[name] as Float64Array;
    return { name, truth, allowed: 3 * maximumError(naive[name], truth) + 1e-6 };
  });
});

// Rows are independent: 16 of them carry the same proof as 2048.
const largest = [forwardCase({ H: 1, L: 16, S: 2048, D: 256 }, 1), forwardCase({ H: 1, L: 2048, S: 33, D: 64 }, 1)];
const backwardCases = [forwardCase({ H: 2, L: 65, S: 127, D: 33 }, 1), forwardCase({ H: 1, L: 257, S: 130, D: 64 }, 1)];

forEachSubject((backend) => {
  it('N1: 2048 keys of width 256, 2048 queries', () => {
    for (const forward of largest) expect(conforms(backend, forward, 'packed')).toBeLessThanOrEqual(1);
  });

  const expectCloseToNaive = (forward: Case): void => {
    const out = execute(backend, forward).out as Float64Array;
    expect(out.every(Number.isFinite)).toBe(true);
    const error = maximumError(out, truthOf(forward).out as Float64Array);
    expect(error).toBeLessThanOrEqual(2 * naiveError(forward) + 1e-7);
  };

  it.each(besideSinks.map((it) => [it.label, it] as const))('N2: %s', (_, forward) => expectCloseToNaive(forward));

  it.each([...spreads, ...pinned].map((it) => [it.label, it] as const))('N2: %s', (_, forward) => {
    expectCloseToNaive(forward);
    const sums = execute(backend, summing(forward)).out as Float64Array;
    expect(
      maximumError(
        sums,
        sums.map(() => 1),
      ),
    ).toBeLessThanOrEqual(1e-6);
  });

  it('N3: backward after its own forward, against the float64 pair', () => {
    for (const forward of backwardCases) {
      const { got } = gradients(backend, forward);
      for (const { name, truth, allowed } of trueGradients(forward))
        expect(maximumError(got[name] as Float64Array, truth), `${forward.label} ${name}`).toBeLessThanOrEqual(allowed);
    }
  });
});
