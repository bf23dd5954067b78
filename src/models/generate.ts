/** Writing on: tokens after a prompt, one at a time, as they are chosen. How one is chosen: sampling.ts. */

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
