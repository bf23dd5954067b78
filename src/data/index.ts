/** `keyhole/data`: from text to padded token ids. */

export {
  type BatchLimit,
  batchesFrom,
  bucketByLength,
  type Cursor,
  type ExampleLengths,
  firstCursor,
  type PaddedSequences,
  padSequences,
} from './batching.js';
export {
  type DictionaryOptions,
  loadCmuDictionary,
  type PronouncingDictionary,
  type Pronunciation,
  parseDictionary,
  phonemes,
} from './cmudict.js';
export { defaultRatios, type Split, type SplitRatios, splitBy, splitOf } from './split.js';
export { type StoredVocabulary, Vocabulary } from './vocabulary.js';
