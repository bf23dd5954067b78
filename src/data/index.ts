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
export { type InterfaceTexts, loadInterfaceTexts, type Translation } from './interfaceTexts.js';
export { type LabelledRows, type LabelledSource, readLabelledFile } from './labelledFile.js';
export { loadMails, type Mail, readMail } from './mail.js';
export { jaccard, type NearDuplicateOptions, nearDuplicates } from './nearDuplicates.js';
export { readTokenizer } from './readTokenizer.js';
export { defaultRatios, type Split, type SplitRatios, splitBy, splitOf } from './split.js';
export { drawStory, type Story, type StoryKind, type StoryOptions, storyKinds, storyText } from './stories.js';
export { loadMobyDick, loadText, mobyDick, readTextFile } from './text.js';
export type { TextTokenizer } from './textTokenizer.js';
export { type StoredVocabulary, Vocabulary } from './vocabulary.js';
export { neighbouringStarts, shuffledWindows, type WindowBatch, windowsAt } from './windows.js';
export { WordPiece, type WordPieceOptions } from './wordPiece.js';
export { longWord, sentenceSpans, splitWords } from './words.js';
