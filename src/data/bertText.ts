/**
 * Text as BERT's tokenizers see it: cleaned, lower-cased without accents when asked for, and cut at white space and
 * punctuation. Same as `BertNormalizer` and `BertPreTokenizer` of Hugging Face's library,
 * but for signs of punctuation that are newer than its tables (Unicode 8).
 */

/** Chinese characters stand alone (the blocks that BERT's own code lists). */
const chinese =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
/** Control and format characters and private use; tabs and line ends count as white space. */
const control = /[\0\uFFFD]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const pieces = /[!-/:-@[-`{-~\p{P}]|[^\p{White_Space}!-/:-@[-`{-~\p{P}]+/gu;

/** Cleaned text. */
export function normaliseText(text: string, lowercase: boolean): string {
  const clean = text
    .replace(control, '')
    .replace(/\p{White_Space}/gu, ' ')
    .replace(chinese, ' $& ');
  if (!lowercase) return clean;
  return clean
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}

/** Words and single signs of punctuation. */
export function splitWords(normalised: string): string[] {
  return normalised.match(pieces) ?? [];
}
