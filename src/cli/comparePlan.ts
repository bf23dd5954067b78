/** What `keyhole compare` trains: variants of one configuration, each with several seeds. */

import { UsageError } from '../core/errors.js';
import { mixers } from '../models/textClassifier.js';
import type { Task } from '../tasks/task.js';

/** One way of doing the task. */
export interface Variant {
  readonly name: string;
  /** `key=value` over the common configuration. */
  readonly set: readonly string[];
}

/** One training. */
export interface Job {
  readonly variant: Variant;
  readonly seed: number;
}

const inWords: Readonly<Record<(typeof mixers)[number], string>> = {
  mean: 'mean pooling',
  max: 'max pooling',
  word: 'word-level',
  single: 'single-head',
  multi: 'multi-head',
};

/**
 * Every mixer with and without positions, multi-head with them first, then what the user adds as `name:key=value,…`.
 *
 * Errors: UsageError for a task that has no mixers when nothing is added, and for a variant that cannot be read.
 */
export function variantsOf(task: Task, added: readonly string[], only: readonly string[] = []): readonly Variant[] {
  const keys = Object.keys(task.schema.shape);
  const own = keys.includes('mixer') ? mixerVariants() : [{ name: 'as configured', set: [] }];
  const all = [...own, ...added.map(parseVariant)];
  if (all.length < 2) {
    throw new UsageError(`compare: expected --variants for ${task.name}, which has no mixers; such as small:width=64`);
  }
  const chosen = only.length === 0 ? all : all.filter(({ name }, index) => index === 0 || only.includes(name));
  const unknown = only.find((name) => !all.some((variant) => variant.name === name));
  if (unknown === undefined) return chosen;
  throw new UsageError(`compare: expected --only of ${all.map(({ name }) => name).join(', ')}, got ${unknown}`);
}

function mixerVariants(): Variant[] {
  const order = [...mixers].reverse(); // the first one is what others are compared with
  const withPositions = order.map((mixer) => ({ name: inWords[mixer], set: [`mixer=${mixer}`] }));
  const without = order.map((mixer) => ({
    name: `${inWords[mixer]}, no positions`,
    set: [`mixer=${mixer}`, 'positions=none'],
  }));
  return [...withPositions, ...without];
}

function parseVariant(text: string): Variant {
  const [, name, keys] = /^([^:=]+):(.+)$/.exec(text) ?? [];
  if (name === undefined || keys === undefined) {
    throw new UsageError(`--variants: expected name:key=value,key=value, got ${text}`);
  }
  return { name, set: keys.split(',') };
}

/** Seed by seed, so that every variant has a first result early. */
export function jobsOf(variants: readonly Variant[], seeds: number): readonly Job[] {
  return Array.from({ length: seeds }, (_, index) => variants.map((variant) => ({ variant, seed: index + 1 }))).flat();
}
