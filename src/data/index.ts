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
export { ByteLevelBpe } from './byteLevelBpe.js';
export { CharacterTokenizer } from './characterTokenizer.js';
export {
  type DictionaryOptions,
  loadCmuDictionary,
  type PronouncingDictionary,
  type Pronunciation,
  parseDictionary,
  phonemes,
} from './cmudict.js';
export { readTokenizer } from './readTokenizer.js';
export { defaultRatios, type Split, type SplitRatios, splitBy, splitOf } from './split.js';
export { loadMobyDick, loadText, mobyDick, readTextFile } from './text.js';
export type { TextTokenizer } from './textTokenizer.js';
export { type StoredVocabulary, Vocabulary } from './vocabulary.js';
export { neighbouringStarts, shuffledWindows, type WindowBatch, windowsAt } from './windows.js';
export { WordPiece, type WordPieceOptions } from './wordPiece.js';
