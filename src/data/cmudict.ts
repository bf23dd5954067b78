/**
 * The CMU Pronouncing Dictionary as entries of one word and all its pronunciations. The data comes from the npm package
 * `cmu-pronouncing-dictionary`, an optional peer that is loaded only when asked for.
 */

import { FormatError, StateError } from '../core/errors.js';

/** The 39 phonemes of the dictionary (ARPAbet without stress), in code unit order. */
export const phonemes: readonly string[] =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ');

/** A word and its pronunciations, each a list of phonemes. */
export interface Pronunciation {
  readonly word: string;
  /** In the order of the dictionary, at least one, no two alike. */
  readonly variants: readonly (readonly string[])[];
}

/** What was read, and what became of the lines that are not entries of their own. */
export interface PronouncingDictionary {
  /** In the order of the dictionary. */
  readonly entries: readonly Pronunciation[];
  /** Lines in the source. */
  readonly lines: number;
  /** Variants that were alike once stress was removed. */
  readonly merged: number;
  /** Lines that could not be read, with the reason. */
  readonly rejected: readonly { readonly key: string; readonly reason: string }[];
}

export interface DictionaryOptions {
  /** Keep the stress digits of vowels (`AH0`); by default they are removed. */
  readonly keepStress?: boolean;
}

const packageName = 'cmu-pronouncing-dictionary';
const keyPattern = /^([a-z'.-]+)(?:\(\d+\))?$/;
/** Every spelling of a phoneme, with and without stress, to the phoneme. A table: the dictionary has 850,000 of them. */
const spellings: ReadonlyMap<string, string> = new Map(
  phonemes.flatMap((phoneme) => ['', '0', '1', '2'].map((stress) => [phoneme + stress, phoneme] as const)),
);

/**
 * Reads a table of `word` or `word(2)` to phonemes separated by spaces; what follows `#` is a comment.
 *
 * Errors: FormatError when the table is not one of texts. Single lines that do not fit are listed in `rejected`.
 */
export function parseDictionary(table: unknown, options: DictionaryOptions = {}): PronouncingDictionary {
  if (typeof table !== 'object' || table === null) {
    throw new FormatError(`parseDictionary: expected an object of word: phonemes, got ${typeof table}`);
  }
  const words = new Map<string, Map<string, readonly string[]>>();
  const rejected: { key: string; reason: string }[] = [];
  let merged = 0;
  const lines = Object.entries(table);
  for (const [key, text] of lines) {
    const line = parseLine(key, text, options.keepStress ?? false);
    if ('reason' in line) {
      rejected.push({ key, reason: line.reason });
      continue;
    }
    const variants = words.get(line.word) ?? new Map<string, readonly string[]>();
    const spelled = line.variant.join(' ');
    if (variants.has(spelled)) merged++;
    words.set(line.word, variants.set(spelled, line.variant));
  }
  const entries = Array.from(words, ([word, variants]) => ({ word, variants: [...variants.values()] }));
  return { entries, lines: lines.length, merged, rejected };
}

/** Loads the package and reads it. Errors: StateError with the command to install the package when it is missing. */
export async function loadCmuDictionary(options: DictionaryOptions = {}): Promise<PronouncingDictionary> {
  const { dictionary } = await import('cmu-pronouncing-dictionary').catch((error: unknown) => {
    throw new StateError(
      `loadCmuDictionary: expected the package ${packageName}, got none; install it with: npm i ${packageName}`,
      { package: packageName, reason: String(error) },
    );
  });
  return parseDictionary(dictionary, options);
}

type Line = { readonly word: string; readonly variant: readonly string[] } | { readonly reason: string };

function parseLine(key: string, text: unknown, keepStress: boolean): Line {
  const word = keyPattern.exec(key)?.[1];
  if (word === undefined) return { reason: "expected letters a-z, ' - or . in the word" };
  if (typeof text !== 'string') return { reason: 'expected a text of phonemes' };
  const [spoken = ''] = text.split('#', 1);
  const symbols = spoken.trim().split(/\s+/);
  const stray = symbols.find((symbol) => !spellings.has(symbol));
  if (stray !== undefined) return { reason: `unknown phoneme ${JSON.stringify(stray)}` };
  return { word, variant: keepStress ? symbols : symbols.map((symbol) => spellings.get(symbol) ?? symbol) };
}
