/**
 * Writing on: tokens after a prompt, one at a time, as they are chosen, or after several prompts at once. How one is
 * chosen: sampling.ts.
 */

import type { RandomStream } from '../core/random.js';
import type { LanguageModel } from './languageModel.js';
import { type ChosenToken, chooseToken, type SamplingOptions } from './sampling.js';
import { TextSession } from './textSession.js';

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to write. */
  readonly tokens: number;
  readonly random: RandomStream;
}

export type Written = ChosenToken;

/** Writes on after `prompt`; every token is handed out as soon as it is there. */
export function* generate(
  model: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions,
): Generator<Written> {
  const session = new TextSession(model);
  try {
    let next = prompt;
    for (let written = 0; written < options.tokens; written++) {
      const chosen = chooseToken(session.read(next), options, options.random);
      yield chosen;
      next = [chosen.token];
    }
  } finally {
    session.dispose();
  }
}

export interface GenerateAllOptions extends Omit<GenerateOptions, 'random'> {
  /** A stream for each prompt. */
  readonly random: () => RandomStream;
}

/** Writes on after several prompts, those of one length in one batch; returns the tokens written after each. */
export function generateAll(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: GenerateAllOptions,
): number[][] {
  const written = prompts.map((): number[] => []);
  const lengths = new Set(prompts.map(({ length }) => length));
  for (const length of lengths) {
    const rows = [...prompts.keys()].filter((row) => prompts[row]?.length === length);
    const together = writeTogether(
      model,
      rows.map((row) => prompts[row] as readonly number[]),
      options,
    );
    for (const [index, row] of rows.entries()) written[row] = together[index] as number[];
  }
  return written;
}

function writeTogether(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  { tokens, random, ...sampling }: GenerateAllOptions,
): number[][] {
  const session = new TextSession(model);
  const texts = prompts.map((next) => ({ next, random: random(), written: [] as number[] }));
  try {
    for (let count = 0; count < tokens; count++) {
      const scores = session.readAll(texts.map(({ next }) => next));
      for (const [row, text] of texts.entries()) {
        const { token } = chooseToken(scores[row] as Float32Array, sampling, text.random);
        text.written.push(token);
        text.next = [token];
      }
    }
  } finally {
    session.dispose();
  }
  return texts.map(({ written }) => written);
}
