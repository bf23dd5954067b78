/** Backends: what they are, how one is chosen, and the one that defines what is true. */

export type {
  Backend,
  BackendInfo,
  DeviceBuffer,
  DType,
  HostArray,
  KernelName,
  Operands,
  Scalars,
  View,
} from './contract.js';
export { dropoutKeep, dropoutRowKey } from './dropout.js';
export { activations, binaryOps, kernelTable, reduceOps, unaryOps } from './kernels.generated.js';
export { type KernelTime, type Profile, profiled } from './profile.js';
export { createReferenceBackend, type ReferenceOptions } from './reference/createReferenceBackend.js';
export { type BackendName, type LoadAttempt, type LoadOptions, loadAttempts, loadBackend } from './registry.js';
