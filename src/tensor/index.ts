/** Tensors, operations, gradients and lifetimes: everything that is public in this layer. */

export { backward, zeroGradients } from './autograd.js';
export * from './create.js';
export { type CrossEntropyOptions, crossEntropy } from './crossEntropy.js';
export * from './elementwise.js';
export { entmax15, sparsemax } from './entmax.js';
export { embedding } from './indexing.js';
export { concat, split } from './join.js';
export { linear, matmul } from './linearAlgebra.js';
export { layerNorm, logSoftmax, rmsNorm, softmax } from './normalise.js';
export {
  type BackwardContext,
  defineOperation,
  type Gradients,
  type OperationRule,
  operationNames,
} from './operation.js';
export { type AdamWOptions, adamwUpdate, copyInto, fillInto, mixInto, scaleInto, squareSum } from './optimise.js';
export { drainPool, liveBuffers, pooledBuffers } from './pool.js';
export { isRecording, noGrad } from './recording.js';
export { type Axes, argmax, max, mean, min, sum } from './reduce.js';
export { heldTensors, keep, scope, type TensorHolder } from './scope.js';
export { Tensor } from './tensor.js';
export {
  contiguous,
  detach,
  expand,
  permute,
  reshape,
  select,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from './views.js';
