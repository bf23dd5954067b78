/**
 * What every tokenizer of running text can do, whatever its tokens are: characters (characterTokenizer.ts) or pieces of
 * words (byteLevelBpe.ts). Vocabularies of given symbols are something else: vocabulary.ts.
 */

/** Text to token ids and back. */
export interface TextTokenizer {
  /** Number of ids V. */
  readonly size: number;
  /** Errors: UsageError for text that has no ids. */
  encode(text: string): Uint32Array;
  decode(ids: ArrayLike<number>): string;
  /** The text of one id, as on the axis of a picture. */
  symbol(id: number): string;
  /** Characters (code points) that one id stands for: a token that ends a character counts it. */
  characters(id: number): number;
  /** Text of ids that arrive one at a time; what is not yet a whole character waits. */
  decoder(): (id: number) => string;
  /** For a run folder: JSON from which `readTokenizer` (readTokenizer.ts) makes the tokenizer again. */
  toJSON(): object;
}
