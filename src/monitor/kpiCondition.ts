/**
 * Conditions on key figures, for pipelines: `validation/loss > baseline + 0.02`.
 *
 *     condition   = name comparison bound
 *     comparison  = "<" | "<=" | ">" | ">="
 *     bound       = number
 *                 | "baseline" [ ("+" | "-" | "*" | "×") number ]
 *                 | number ("*" | "×") "baseline"
 *
 * `baseline` is the same figure of the run that is compared with.
 */

import { UsageError } from '../core/errors.js';

export type Comparison = '<' | '<=' | '>' | '>=';

/** A condition in parts; the bound is `factor` · baseline + `offset`. */
export interface KpiCondition {
  readonly text: string;
  readonly name: string;
  readonly comparison: Comparison;
  readonly factor: number;
  readonly offset: number;
}

/** What became of a condition. */
export interface Judgement {
  readonly holds: boolean;
  /** NaN when there is no number to compare with. */
  readonly bound: number;
  /** In words when a number is missing or is none. */
  readonly reason?: string;
}

const token =
  /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(?<name>[a-z_]\w*(?:\/[\w.]+)*)|(?<sign><=|>=|[<>*×+-]))/iy;

/** Reads a condition. Errors: UsageError saying what was expected where. */
export function parseCondition(text: string): KpiCondition {
  const tokens = new Tokens(text);
  const name = tokens.take('a figure such as validation/loss', (word) => word.includes('/') && /^[a-z_]/i.test(word));
  const comparison = tokens.take('<, <=, > or >=', (word) => /^[<>]=?$/.test(word)) as Comparison;
  const bound = boundOf(tokens);
  tokens.end();
  return { text, name, comparison, ...bound };
}

function boundOf(tokens: Tokens): Pick<KpiCondition, 'factor' | 'offset'> {
  const what = 'a number or baseline';
  if (tokens.skip('baseline')) {
    const sign = tokens.skip('+') ?? tokens.skip('-') ?? tokens.skip('*') ?? tokens.skip('×');
    if (sign === undefined) return { factor: 1, offset: 0 };
    const number = tokens.number('a number');
    if (sign === '+' || sign === '-') return { factor: 1, offset: sign === '+' ? number : -number };
    return { factor: number, offset: 0 };
  }
  const number = tokens.number(what);
  if (!(tokens.skip('*') ?? tokens.skip('×'))) return { factor: 0, offset: number };
  tokens.take('baseline', (word) => word === 'baseline');
  return { factor: number, offset: 0 };
}

/** The words of a condition, one after the other. */
class Tokens {
  readonly #text: string;
  readonly #words: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#words = [...wordsOf(text)];
  }

  take(what: string, fits: (word: string) => boolean): string {
    const word = this.#words[this.#at];
    if (word === undefined || !fits(word)) return refuse(this.#text, what, word);
    this.#at++;
    return word;
  }

  /** The word if it comes next. */
  skip(word: string): string | undefined {
    if (this.#words[this.#at] !== word) return undefined;
    this.#at++;
    return word;
  }

  number(what: string): number {
    const sign = this.skip('-') ? -1 : 1;
    return sign * Number(this.take(what, (word) => /^[\d.]/.test(word)));
  }

  end(): void {
    if (this.#at < this.#words.length) refuse(this.#text, 'the end', this.#words[this.#at]);
  }
}

function* wordsOf(text: string): Generator<string> {
  const pattern = new RegExp(token);
  while (pattern.lastIndex < text.trimEnd().length) {
    const { lastIndex } = pattern;
    const [word] = pattern.exec(text) ?? [];
    if (word === undefined) refuse(text, 'figures, numbers and < <= > >= + - * ×', text.slice(lastIndex).trim());
    yield word.trim();
  }
}

function refuse(text: string, what: string, found: string | undefined): never {
  throw new UsageError(
    `--fail-if: expected ${what}, got ${found === undefined ? 'nothing more' : `"${found}"`} in "${text}"; for example "validation/loss > baseline + 0.02"`,
  );
}

/**
 * Whether a condition holds. A figure that is missing or NaN on either side cannot be trusted: then it holds, with a
 * reason, so that a diverged run does not pass a gate because NaN is greater than nothing.
 */
export function judgeCondition(
  condition: KpiCondition,
  value: number | undefined,
  baseline: number | undefined,
): Judgement {
  const { name, factor, offset, comparison } = condition;
  const bound = factor === 0 ? offset : factor * (baseline ?? Number.NaN) + offset;
  const missing =
    wrongWith(value, `the run's ${name}`) ?? (factor === 0 ? undefined : wrongWith(baseline, `the baseline's ${name}`));
  if (missing !== undefined || value === undefined) return { holds: true, bound, ...(missing && { reason: missing }) };
  const holds = { '<': value < bound, '<=': value <= bound, '>': value > bound, '>=': value >= bound }[comparison];
  return { holds, bound };
}

function wrongWith(value: number | undefined, what: string): string | undefined {
  if (value === undefined) return `${what} was never logged`;
  return Number.isNaN(value) ? `${what} is NaN` : undefined;
}
