/** `keyhole`: what one needs to compute with attention and to look into it. The rest has a subpath each. */

export * from './attention/index.js';
export * from './backend/index.js';
export {
  BackendError,
  DTypeError,
  FormatError,
  KeyholeError,
  ShapeError,
  StateError,
  UsageError,
} from './core/errors.js';
export { RandomStream } from './core/random.js';
export {
  type AttentionKind,
  type AttentionPicture,
  type AttentionRecord,
  type CapturedAttention,
  type StatisticName,
  statisticNames,
} from './core/records.js';
export * from './models/index.js';
export * from './nn/index.js';
export * from './tensor/index.js';
