/**
 * The kernels that are bound by memory, as calls on arrays larger than any cache: what is read, what is written, and how
 * many bytes that is at least. Next: memoryBench.ts.
 */

import type { Backend, KernelName, Operands, Scalars } from '../../backend/contract.js';
import { unaryOps } from '../../backend/kernels.generated.js';
import { signatures } from '../../backend/signature.js';
import { tensor, zeros } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { transpose } from '../../tensor/views.js';
import type { MemoryCase } from './cases.js';
import { normalValues } from './values.js';

/** A kernel call as data, so that the same can run on a part of its operands elsewhere. */
export interface KernelCall {
  readonly kernel: KernelName;
  readonly operands: Readonly<Record<string, Tensor>>;
  readonly scalars: Readonly<Record<string, number>>;
}

type Sizes = readonly [number, number];
type Build = (backend: Backend, sizes: Sizes) => KernelCall;
type TensorsOf<K extends KernelName> = Operands<K> & Readonly<Record<string, Tensor>>;

const step = { step: 10, gradientScale: 1, rate: 1e-3, decay: 0.01 };
const adam = { ...step, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

const builders: Readonly<Record<MemoryCase['operation'], Build>> = {
  exp: unary('exp'),
  tanh: unary('tanh'),
  gelu: unary('gelu'),
  geluBackward: (backend, sizes) => {
    const operands = { da: room(backend, sizes), a: normal(backend, sizes, 1), dout: normal(backend, sizes, 2) };
    return callOf('unary_backward_f32', operands, { op: unaryOps.indexOf('gelu') });
  },
  layerNorm: (backend, [M, E]) => {
    const results = { out: room(backend, [M, E]), mean: room(backend, [M]), rstd: room(backend, [M]) };
    const weights = { gamma: normal(backend, [E], 2), beta: normal(backend, [E], 3) };
    return callOf('layer_norm_f32', { ...results, x: normal(backend, [M, E], 1), ...weights }, { epsilon: 1e-5 });
  },
  layerNormBackward: (backend, [M, E]) => {
    const results = { dx: room(backend, [M, E]), dgamma: room(backend, [E]), dbeta: room(backend, [E]) };
    const rows = { dout: normal(backend, [M, E], 1), x: normal(backend, [M, E], 2) };
    const saved = { mean: normal(backend, [M], 3), rstd: normal(backend, [M], 4), gamma: normal(backend, [E], 5) };
    return callOf('layer_norm_backward_f32', { ...results, ...rows, ...saved }, {});
  },
  rmsNorm: (backend, [M, E]) => {
    const results = { out: room(backend, [M, E]), rstd: room(backend, [M]) };
    const inputs = { x: normal(backend, [M, E], 1), gamma: normal(backend, [E], 2) };
    return callOf('rms_norm_f32', { ...results, ...inputs }, { epsilon: 1e-5 });
  },
  softmax: (backend, sizes) =>
    callOf('softmax_f32', { out: room(backend, sizes), a: normal(backend, sizes, 1) }, { log: 0 }),
  crossEntropy: (backend, [M, V]) => {
    const results = { loss: room(backend, [M]), lse: room(backend, [M]) };
    const inputs = { logits: normal(backend, [M, V], 1), target: targets(backend, M, V) };
    return callOf('cross_entropy_f32', { ...results, ...inputs }, { smoothing: 0, ignore: -1 });
  },
  crossEntropyBackward: (backend, [M, V]) => {
    const inputs = { logits: normal(backend, [M, V], 1), lse: normal(backend, [M], 2) };
    const operands = { dlogits: room(backend, [M, V]), ...inputs, target: targets(backend, M, V) };
    return callOf(
      'cross_entropy_backward_f32',
      { ...operands, dloss: normal(backend, [M], 3) },
      { smoothing: 0, ignore: -1 },
    );
  },
  adamw: (backend, [M, N]) => {
    const [parameter, m] = [normal(backend, [M * N], 1), normal(backend, [M * N], 2)];
    const operands = { parameter, m, v: room(backend, [M * N]), gradient: normal(backend, [M * N], 3) };
    return callOf('adamw_f32', operands, adam);
  },
  transpose: (backend, [M, N]) =>
    callOf('copy_f32', { out: room(backend, [M, N]), a: transpose(normal(backend, [N, M], 1)) }, {}),
};

/** The call of a case, with operands on a backend. */
export function createCall(backend: Backend, { operation, shape }: MemoryCase): KernelCall {
  return builders[operation](backend, Object.values(shape) as unknown as Sizes);
}

export function run({ kernel, operands, scalars }: KernelCall): void {
  const { backend } = Object.values(operands)[0] as Tensor;
  backend.run(kernel, operands as never, scalars as never);
}

/** Bytes that the call must move: every operand it reads once, every operand it writes once. */
export function bytesOf({ kernel, operands }: KernelCall): number {
  return signatures[kernel].operands.reduce((sum, { name, read, written }) => {
    const bytes = 4 * (operands[name]?.size ?? 0);
    return sum + (read ? bytes : 0) + (written ? bytes : 0);
  }, 0);
}

function callOf<K extends KernelName>(kernel: K, operands: TensorsOf<K>, scalars: Scalars<K>): KernelCall {
  return { kernel, operands, scalars };
}

function unary(name: (typeof unaryOps)[number]): Build {
  return (backend, sizes) => {
    const operands = { out: room(backend, sizes), a: normal(backend, sizes, 1) };
    return callOf('unary_f32', operands, { op: unaryOps.indexOf(name) });
  };
}

function room(backend: Backend, shape: readonly number[]): Tensor {
  return zeros(shape, { backend });
}

function normal(backend: Backend, shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((a, b) => a * b);
  return tensor(normalValues(count, seed), shape, { backend });
}

/** A class for each of M rows, spread over the V there are. */
function targets(backend: Backend, M: number, V: number): Tensor {
  return tensor(
    Int32Array.from({ length: M }, (_, row) => (row * 7919) % V),
    [M],
    { backend },
  );
}
