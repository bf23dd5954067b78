/** A layer with PyTorch's parameters computes what PyTorch computed; made by multiheadAttention.py. */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { and, causal, keyPadding } from '../../src/attention/index.js';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { capture, type MultiHeadAttention, pytorchAttention } from '../../src/nn/index.js';
import { backward, multiply, setBackend, sum, type Tensor, tensor } from '../../src/tensor/index.js';

interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Case {
  readonly name: string;
  readonly heads: number;
  readonly causal: boolean;
  readonly lengths: readonly number[] | null;
  readonly parameters: Readonly<Record<string, Numbers>>;
  readonly gradients: Readonly<Record<string, Numbers>>;
  readonly memory: Numbers | null;
  readonly x: Numbers;
  readonly out: Numbers;
  readonly weights: Numbers;
  readonly dout: Numbers;
  readonly dx: Numbers;
}

const file = new URL('multiheadAttention.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };

const made = ({ shape, values }: Numbers, requiresGrad = false): Tensor =>
  tensor(values, shape, { dtype: 'f32', requiresGrad });
const parametersOf = (given: Case['parameters']): Map<string, Tensor> =>
  new Map(Object.entries(given).map(([name, numbers]) => [name, made(numbers)]));

function expectClose(
  got: ArrayLike<number> | undefined,
  wanted: readonly number[],
  tolerance: number,
  label: string,
): void {
  expect(got?.length, label).toBe(wanted.length);
  wanted.forEach((value, at) => {
    const found = got?.[at] as number;
    if (!(Math.abs(found - value) <= tolerance)) expect.fail(`${label} [${at}]: expected ${value}, got ${found}`);
  });
}

/** The layer's gradients under PyTorch's names. */
function gradientsOf(layer: MultiHeadAttention, names: readonly string[]): Map<string, readonly number[]> {
  const of = (x: Tensor | undefined): number[] => Array.from(x?.grad?.toArray() ?? []);
  const all = new Map([
    ['in_proj_weight', [layer.q, layer.k, layer.v].flatMap(({ weight }) => of(weight))],
    ['in_proj_bias', [layer.q, layer.k, layer.v].flatMap(({ bias }) => of(bias))],
    ...(['q', 'k', 'v'] as const).map((name) => [`${name}_proj_weight`, of(layer[name].weight)] as const),
    ['out_proj.weight', of(layer.out.weight)],
    ['out_proj.bias', of(layer.out.bias)],
  ]);
  return new Map(names.map((name) => [name, all.get(name) ?? []]));
}

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

describe.each(cases)('nn.MultiheadAttention: $name', (wanted) => {
  it('is equalled by the layer, weights and gradients too', () => {
    const layer = pytorchAttention(parametersOf(wanted.parameters), { heads: wanted.heads });
    const x = made(wanted.x, true);
    const memory = wanted.memory ? made(wanted.memory) : undefined;
    const masks = [wanted.causal ? causal() : [], wanted.lengths ? keyPadding(wanted.lengths) : []].flat();
    const outs: Tensor[] = [];
    const [seen] = capture(layer, { record: { rows: 'all' } }, (context) =>
      outs.push(layer.forward(x, context, { memory, mask: and(...masks) })),
    );
    const out = outs[0] as Tensor;
    expectClose(out.toArray(), wanted.out.values, 1e-10, 'out');
    expectClose(seen?.record.weights?.values, wanted.weights.values, 1e-6, 'weights');
    backward(sum(multiply(out, made(wanted.dout))));
    expectClose(x.grad?.toArray(), wanted.dx.values, 1e-9, 'dx');
    for (const [name, gradient] of gradientsOf(layer, Object.keys(wanted.gradients)))
      expectClose(gradient, wanted.gradients[name]?.values ?? [], 1e-9, name);
  });
});

describe('pytorchAttention', () => {
  const given = cases[0]?.parameters ?? {};
  const load =
    (change: Case['parameters'], without: readonly string[] = []) =>
    () => {
      const parameters = parametersOf({ ...given, ...change });
      for (const name of without) parameters.delete(name);
      return pytorchAttention(parameters, { heads: 2 });
    };
  const zeros = (...shape: number[]): Numbers => ({ shape, values: new Array(shape.reduce((a, b) => a * b)).fill(0) });

  it('refuses what it cannot take, by name', () => {
    expect(load({ bias_k: zeros(1, 1, 8) })).toThrow(/got bias_k; add_bias_kv is not supported/);
    expect(load({ 'layer.in_proj_weight': zeros(24, 8) })).toThrow(/leave out the prefix of the module/);
    expect(load({}, ['out_proj.weight'])).toThrow(/expected out_proj.weight, got in_proj_weight/);
    expect(load({}, ['out_proj.bias'])).toThrow(/expected out_proj.bias/);
    expect(load({ in_proj_weight: zeros(16, 8) })).toThrow(/in_proj_weight with 3·E = 24 rows, got \[16, 8\]/);
    expect(load({ in_proj_weight: zeros(24, 7) })).toThrow(/the projection of q \[8, 8\], got \[8, 7\]/);
    const apart = { q_proj_weight: zeros(8, 8), k_proj_weight: zeros(8, 5), v_proj_weight: zeros(8, 4) };
    expect(load(apart, ['in_proj_weight'])).toThrow(/kdim = vdim, got 5 and 4/);
  });
});
