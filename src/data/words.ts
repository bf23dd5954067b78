/**
 * Running text as words, and words as sentences. For texts that are judged, not written: case is lost. Tokenizers that
 * can be undone are in byteLevelBpe.ts and wordPiece.ts.
 */

/** Letters with what belongs inside a word, digits, or a run of one other visible character. */
const word = /\p{L}[\p{L}\p{M}]*(?:['’][\p{L}\p{M}]+)*|\p{N}+|([^\s\p{L}\p{N}\p{C}])\1*/gu;

/** Longest word kept as it is: longer ones are no words, but data without spaces. */
const longestWord = 40;

/** Stands for a word that is too long. */
export const longWord = '<long>';

/**
 * Lower-case words, numbers with their digits as 0, and runs such as `!!!` as one character. White space and control
 * characters, NUL among them, only separate.
 */
export function splitWords(text: string): string[] {
  const found: string[] = [];
  for (const [match, repeated] of text.normalize('NFC').matchAll(word)) found.push(repeated ?? plainWord(match));
  return found;
}

function plainWord(match: string): string {
  if (match.length > longestWord) return longWord;
  return match.toLowerCase().replace(/\p{N}/gu, '0');
}

/** Begin and end (exclusive) of each sentence: it ends behind `.`, `!` or `?`, and the last one at the end. */
export function sentenceSpans(words: readonly string[]): (readonly [begin: number, end: number])[] {
  const spans: (readonly [number, number])[] = [];
  let begin = 0;
  for (const [index, symbol] of words.entries()) {
    if (!'.!?'.includes(symbol) && index < words.length - 1) continue;
    spans.push([begin, index + 1]);
    begin = index + 1;
  }
  return spans;
}
