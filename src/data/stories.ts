/**
 * Little worlds with a question, in the manner of bAbI tasks 1, 2, 3, 15 and 16 (Weston et al. 2015): which sentences an
 * answer needs is known, and how far from the question they are is a parameter. Next: storyKinds.ts, one plot a kind.
 */

import { UsageError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import { type Plot, plots } from './storyKinds.js';

/** Kinds of stories by their number in bAbI. */
export const storyKinds = [1, 2, 3, 15, 16] as const;
export type StoryKind = (typeof storyKinds)[number];

/** A story, its question and the one word that answers it. */
export interface Story {
  readonly kind: StoryKind;
  readonly sentences: readonly string[];
  readonly question: string;
  readonly answer: string;
  /** Numbers of the sentences that the answer needs, rising. */
  readonly support: readonly number[];
  /** Sentences from the first one needed to the question: 1 is the sentence right before it. */
  readonly distance: number;
}

export interface StoryOptions {
  /** The first sentence that is needed stands at most so far before the question. */
  readonly maxDistance: number;
  /** Sentences before those that are needed, at most. */
  readonly lead: number;
}

/** Fewest sentences from the first one needed to the question: the plot itself has so many. */
const leastDistance: Readonly<Record<StoryKind, number>> = { 1: 1, 2: 2, 3: 3, 15: 2, 16: 3 };

/**
 * One story of a kind, drawn from `random`. Distances are uniform between what the plot takes and `maxDistance`.
 *
 * Errors: UsageError for a distance that no plot fits into.
 */
export function drawStory(kind: StoryKind, { maxDistance, lead }: StoryOptions, random: RandomStream): Story {
  const least = leastDistance[kind];
  if (maxDistance < least) {
    throw new UsageError(`stories: expected maxDistance >= ${least} for kind ${kind}, got ${maxDistance}`);
  }
  const distance = least + random.integer(maxDistance - least + 1);
  return told(kind, plots[kind](random), distance, random.integer(lead + 1), random);
}

/** Sets a plot among distractors: `before` ahead of it, the rest between and behind its sentences. */
function told(kind: StoryKind, plot: Plot, distance: number, before: number, random: RandomStream): Story {
  const { needed, distract, question, answer } = plot;
  const places = placesOf(needed.length, distance, random);
  const sentences = Array.from({ length: before }, () => distract(false));
  for (let at = 0, next = 0; at < distance; at++) {
    if (places[next] === at) sentences.push(needed[next++] as string);
    else sentences.push(distract(true));
  }
  return { kind, sentences, question, answer, support: places.map((place) => before + place), distance };
}

/** Rising places of `count` sentences among `distance`, the first at 0. */
function placesOf(count: number, distance: number, random: RandomStream): number[] {
  const others = random.shuffle(Array.from({ length: distance - 1 }, (_, index) => index + 1));
  return [0, ...others.slice(0, count - 1)].sort((a, b) => a - b);
}

/** Sentences and question as the one text that a model reads. */
export function storyText({ sentences, question }: Pick<Story, 'sentences' | 'question'>): string {
  return [...sentences, question].join(' ');
}
