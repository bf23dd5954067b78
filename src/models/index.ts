/** `keyhole/models`: whole architectures and how to get answers out of them. */

export { type Decoded, type DecodeOptions, decode } from './decode.js';
export { DecoderSession } from './decoderSession.js';
export {
  Decoder,
  Encoder,
  EncoderDecoder,
  type EncoderDecoderOptions,
  type Memory,
  type TokenBatch,
} from './encoderDecoder.js';
export {
  type CompareOptions,
  type Comparison,
  compareMechanisms,
  type Estimate,
  type EstimateOptions,
  estimate,
} from './estimate/estimate.js';
export { mechanismNames } from './estimate/mechanisms.js';
export type { MemoryPlan } from './estimate/memory.js';
export type { ModelPlan } from './estimate/plan.js';
export { type MachineSpeed, measuredShares } from './estimate/time.js';
export { type GenerateAllOptions, type GenerateOptions, generate, generateAll, type Written } from './generate.js';
export { LanguageModel, type LanguageModelOptions, type Past } from './languageModel.js';
export { chooseToken, type SamplingOptions } from './sampling.js';
export {
  type Mixer,
  mixers,
  type PositionKind,
  positionKinds,
  TextClassifier,
  type TextClassifierOptions,
  type TextSource,
} from './textClassifier.js';
export { TextSession } from './textSession.js';
