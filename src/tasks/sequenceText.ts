/**
 * How a sequence task turns texts into symbols and symbols into ids, and back: symbols that are given, such as letters
 * and phonemes, or pieces of words that are learned from the training part.
 */

import { UsageError } from '../core/errors.js';
import { ByteLevelBpe } from '../data/byteLevelBpe.js';
import { readTokenizer } from '../data/readTokenizer.js';
import type { Split } from '../data/split.js';
import type { TextTokenizer } from '../data/textTokenizer.js';
import { Vocabulary } from '../data/vocabulary.js';
import type { SequenceExample, SequenceSplits, Vocabularies } from './sequenceData.js';
import type { Config } from './task.js';

/** Texts to symbols and back. */
export interface SequenceText {
  readonly vocabularies: Vocabularies;
  /** Kept with a run so that the same symbols have the same ids when it is opened again. */
  readonly stored: Config;
  /** Symbols of an input. Errors: UsageError. */
  tokenise(input: string): readonly string[];
  join(symbols: readonly string[]): string;
  /** A symbol as the axis of a picture shows it. */
  shown(symbol: string): string;
}

/** A text and all right answers. */
export interface TextPair {
  readonly text: string;
  readonly answers: readonly string[];
}

/** Symbols that are known beforehand, or as a run stored them. */
export function givenSymbols(
  fresh: Vocabularies,
  ways: Pick<SequenceText, 'tokenise' | 'join'>,
  stored?: Config,
): SequenceText {
  const { source, target } = stored
    ? { source: Vocabulary.fromJSON(stored.source), target: Vocabulary.fromJSON(stored.target) }
    : fresh;
  const json = { source: source.toJSON(), target: target.toJSON() };
  return { ...ways, vocabularies: { source, target }, stored: json, shown: (symbol) => symbol };
}

/** Pieces of words, the same for inputs and answers, so that names and placeholders can be copied. */
export class PieceText implements SequenceText {
  readonly vocabularies: Vocabularies;
  readonly #task: string;
  readonly #tokenizer: TextTokenizer;

  constructor(task: string, tokenizer: TextTokenizer) {
    this.#task = task;
    this.#tokenizer = tokenizer;
    // A piece goes by its number, for the bytes of half a character have no text.
    const pieces = new Vocabulary(Array.from({ length: tokenizer.size }, (_, id) => String(id)));
    this.vocabularies = { source: pieces, target: pieces };
  }

  /** Learns `size` pieces from what is to be learned from alone. Errors: UsageError for a size below 256. */
  static learn(task: string, pairs: readonly TextPair[], size: number): PieceText {
    const texts = pairs.flatMap(({ text, answers }) => [text, ...answers]);
    return new PieceText(task, ByteLevelBpe.train(texts.join('\n'), size));
  }

  /** Opens what a run stored. Errors: FormatError for anything else. */
  static read(task: string, { tokenizer }: Config): PieceText {
    return new PieceText(task, readTokenizer(tokenizer));
  }

  get stored(): Config {
    return { tokenizer: this.#tokenizer.toJSON() };
  }

  tokenise(input: string): readonly string[] {
    if (input.trim() === '') throw new UsageError(`${this.#task}: expected a text, got an empty one`);
    return this.#cut(input);
  }

  join(symbols: readonly string[]): string {
    return this.#tokenizer.decode(symbols.map(Number));
  }

  shown(symbol: string): string {
    return /^\d+$/.test(symbol) ? this.#tokenizer.symbol(Number(symbol)) : symbol;
  }

  /** Pairs as symbols, part by part. */
  examples(parts: Readonly<Record<Split, readonly TextPair[]>>): SequenceSplits {
    const example = ({ text, answers }: TextPair): SequenceExample => ({
      input: text,
      source: this.#cut(text),
      targets: answers.map((answer) => this.#cut(answer)),
    });
    const [train, validation, test] = [parts.train, parts.validation, parts.test].map((part) => part.map(example));
    return { train, validation, test } as SequenceSplits;
  }

  #cut(text: string): readonly string[] {
    return Array.from(this.#tokenizer.encode(text), String);
  }
}
