/** A MultiHeadAttention layer from the parameters of PyTorch's `nn.MultiheadAttention`, under the names they have there. */

import { FormatError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import { formatShape, sameShape } from '../core/shape.js';
import { copyInto } from '../tensor/optimise.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import { MultiHeadAttention, type MultiHeadAttentionOptions } from './multiHeadAttention.js';

/** What is not in the parameters. */
export type PyTorchAttentionOptions = Pick<MultiHeadAttentionOptions, 'heads' | 'dropout' | 'mechanisms'>;

type Given = ReadonlyMap<string, Tensor>;

const known = new Set([
  'in_proj_weight',
  'in_proj_bias',
  'out_proj.weight',
  'out_proj.bias',
  'q_proj_weight',
  'k_proj_weight',
  'v_proj_weight',
]);

/**
 * The layer that `nn.MultiheadAttention` with this state is: `in_proj_weight` [3E, E], or `q_proj_weight` [E, E],
 * `k_proj_weight` and `v_proj_weight` [E, memoryWidth]; `in_proj_bias` [3E], `out_proj.weight` [E, E] and `out_proj.bias`
 * [E]. The parameters are copied. Results equal PyTorch's with batch_first=True.
 *
 * Errors: FormatError for a name that is missing or not supported (`bias_k`, `bias_v`, and kdim ≠ vdim), or a shape that
 * does not fit. `add_zero_attn` leaves no trace in the parameters: such a layer cannot be told apart here.
 *
 * @example
 * const layer = pytorchAttention(new Map([['in_proj_weight', weight], ...]), { heads: 8 });
 */
export function pytorchAttention(parameters: Given, options: PyTorchAttentionOptions): MultiHeadAttention {
  refuseUnknown(parameters);
  const outWeight = required(parameters, 'out_proj.weight');
  const E = outWeight.shape[0] as number;
  const weights = projections(parameters, E);
  const memoryWidth = weights.k.shape[1] as number;
  if (weights.v.shape[1] !== memoryWidth)
    throw new FormatError(
      `pytorchAttention: expected keys and values of one memory, kdim = vdim, got ${memoryWidth} and ${weights.v.shape[1]}`,
    );
  const biases = parameters.get('in_proj_bias');
  const layer = new MultiHeadAttention(
    { ...options, width: E, memoryWidth, bias: biases !== undefined },
    new RandomStream(0),
  );
  fill(layer.q.weight, weights.q, 'the projection of q');
  fill(layer.k.weight, weights.k, 'the projection of k');
  fill(layer.v.weight, weights.v, 'the projection of v');
  fill(layer.out.weight, outWeight, 'out_proj.weight');
  if (biases) {
    const parts = thirds(biases, 'in_proj_bias', E);
    for (const name of ['q', 'k', 'v'] as const) fill(layer[name].bias as Tensor, parts[name], 'in_proj_bias');
    fill(layer.out.bias as Tensor, required(parameters, 'out_proj.bias'), 'out_proj.bias');
  }
  return layer;
}

interface Thirds {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

function projections(parameters: Given, E: number): Thirds {
  const joint = parameters.get('in_proj_weight');
  if (joint) return thirds(joint, 'in_proj_weight', E);
  return {
    q: required(parameters, 'q_proj_weight'),
    k: required(parameters, 'k_proj_weight'),
    v: required(parameters, 'v_proj_weight'),
  };
}

function thirds(x: Tensor, name: string, E: number): Thirds {
  if (x.shape[0] !== 3 * E)
    throw new FormatError(`pytorchAttention: expected ${name} with 3·E = ${3 * E} rows, got ${formatShape(x.shape)}`);
  return { q: slice(x, 0, 0, E), k: slice(x, 0, E, 2 * E), v: slice(x, 0, 2 * E, 3 * E) };
}

function required(parameters: Given, name: string): Tensor {
  const found = parameters.get(name);
  if (found) return found;
  throw new FormatError(`pytorchAttention: expected ${name}, got ${[...parameters.keys()].join(', ') || 'nothing'}`);
}

function refuseUnknown(parameters: Given): void {
  for (const name of parameters.keys()) {
    if (known.has(name)) continue;
    const hint = name.startsWith('bias_') ? '; add_bias_kv is not supported' : '; leave out the prefix of the module';
    throw new FormatError(`pytorchAttention: expected one of ${[...known].join(', ')}, got ${name}${hint}`);
  }
}

function fill(target: Tensor, source: Tensor, name: string): void {
  if (!sameShape(target.shape, source.shape))
    throw new FormatError(
      `pytorchAttention: expected ${name} ${formatShape(target.shape)}, got ${formatShape(source.shape)}`,
    );
  copyInto(target, source);
}
