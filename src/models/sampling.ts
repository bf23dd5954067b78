/** Choosing one token from its scores: temperature, top-k and top-p. Pure arithmetic on plain numbers. */

import { UsageError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';

export interface SamplingOptions {
  /** Divides the scores; 0 takes the best token always. Default 1. */
  readonly temperature?: number;
  /** Only the k best tokens; 0 = all (Fan et al. 2018). Default 0. */
  readonly topK?: number;
  /** Only the best tokens that together have at least this probability; 1 = all (Holtzman et al. 2020). Default 1. */
  readonly topP?: number;
}

/** A token and the natural logarithm of the probability that the model itself gives it, before any cut. */
export interface ChosenToken {
  readonly token: number;
  readonly logProbability: number;
}

/** Errors: UsageError for options out of range. */
export function checkSampling({ temperature = 1, topK = 0, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY))
    throw new UsageError(`sampling: expected temperature >= 0, got ${temperature}`);
  if (!(Number.isInteger(topK) && topK >= 0))
    throw new UsageError(`sampling: expected topK a whole number >= 0, got ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw new UsageError(`sampling: expected topP in (0, 1], got ${topP}`);
}

/** Draws a token; equal scores are taken in the order of their ids. */
export function chooseToken(logits: ArrayLike<number>, options: SamplingOptions, random: RandomStream): ChosenToken {
  checkSampling(options);
  const { temperature = 1 } = options;
  const token = temperature === 0 ? indexOfLargest(logits) : draw(candidates(logits, options), random);
  return { token, logProbability: (logits[token] as number) - logSumExp(logits) };
}

interface Candidate {
  readonly token: number;
  readonly probability: number;
}

/** What is left after the cuts, best first; probabilities add up to 1 before the cut by top-p. */
export function candidates(
  logits: ArrayLike<number>,
  { temperature = 1, topK = 0, topP = 1 }: SamplingOptions,
): Candidate[] {
  const scaled = Float64Array.from(logits, (logit) => logit / temperature);
  const order = Array.from(scaled.keys()).sort((a, b) => (scaled[b] as number) - (scaled[a] as number) || a - b);
  const kept = topK === 0 ? order : order.slice(0, topK);
  const lse = logSumExp(kept.map((token) => scaled[token] as number));
  const all = kept.map((token) => ({ token, probability: Math.exp((scaled[token] as number) - lse) }));
  if (topP === 1) return all;
  let sum = 0;
  const last = all.findIndex(({ probability }) => {
    sum += probability;
    return sum >= topP;
  });
  return last === -1 ? all : all.slice(0, last + 1);
}

function draw(from: readonly Candidate[], random: RandomStream): number {
  const total = from.reduce((sum, { probability }) => sum + probability, 0);
  let place = random.uniform() * total;
  for (const { token, probability } of from) {
    place -= probability;
    if (place < 0) return token;
  }
  return from.at(-1)?.token ?? 0;
}

function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++)
    if ((values[index] as number) > (values[best] as number)) best = index;
  return best;
}

function logSumExp(values: ArrayLike<number>): number {
  const largest = values[indexOfLargest(values)] as number;
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += Math.exp((values[index] as number) - largest);
  return largest + Math.log(sum);
}
