/** Starting from what another run has learned: its best weights, where they fit, and its vocabularies. */

import { UsageError } from '../core/errors.js';
import { sameShape } from '../core/shape.js';
import type { Module } from '../nn/module.js';
import { loadTensors, storeTensors } from '../train/parameters.js';
import type { Run } from '../train/run.js';
import type { Config, Task } from './task.js';

/** The vocabularies that a model must share with the run whose weights it takes. Errors: UsageError for another task. */
export function vocabulariesOf(run: Run, { name }: Task): Config {
  const { task, vocabularies } = run.record;
  if (task === name) return vocabularies;
  throw new UsageError(`--from: expected a run of ${name}, got one of ${task}`);
}

/**
 * Puts the best weights of `run` into `model` where name and shape agree. Returns the parameters that start anew.
 *
 * Errors: UsageError when nothing fits.
 */
export function startFrom(run: Run, model: Module): readonly string[] {
  const parameters = model.parameters();
  const stored = run.checkpoints.load('best').checkpoint.model;
  const fits = [...stored].filter(([name, { shape }]) => sameShape(parameters.get(name)?.shape ?? [-1], shape));
  if (fits.length === 0) {
    throw new UsageError(`--from: expected weights of the same sizes in ${run.folder}, got none that fit this model`);
  }
  loadTensors(parameters, new Map([...storeTensors(parameters), ...fits]));
  const taken = new Set(fits.map(([name]) => name));
  return [...parameters.keys()].filter((name) => !taken.has(name));
}
