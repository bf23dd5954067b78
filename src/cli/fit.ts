/** Before a training starts: does it fit into memory, and if not, what would? */

import { createMeasuringBackend } from '../backend/measuring.js';
import { StateError } from '../core/errors.js';
import { estimateMemory, largestBatch, type MemoryEstimate } from '../tasks/memory.js';
import type { Config, OpenTask } from '../tasks/task.js';

/** Memory that the process may still take: free memory of the machine, or what is left of the container's. */
export function freeBytes(): number {
  const given = Number(process.env.KEYHOLE_MEMORY_BYTES ?? Number.NaN);
  return Number.isFinite(given) ? given : process.availableMemory();
}

/** The estimate. Errors: StateError when it is more than `available`, naming a batch that fits. */
export function requireFit(open: OpenTask, config: Config, available: number = freeBytes()): MemoryEstimate {
  const estimate = estimateMemory(open, config, createMeasuringBackend());
  if (estimate.total <= available) return estimate;
  throw new StateError(
    `train: expected a training that fits into ${sizeText(available)} of memory, got one that takes ${describe(estimate)}; ${hint(open, config, available)}`,
    { ...estimate, available },
  );
}

function hint(open: OpenTask, config: Config, available: number): string {
  const tokens = largestBatch(open, config, available, createMeasuringBackend);
  if (tokens !== undefined) {
    const rounds = Math.ceil((Number(config.batchTokens) / tokens) * Number(config.accumulate));
    return `batchTokens=${tokens} fits, with accumulate=${rounds} for the same updates`;
  }
  return config.recompute === false ? 'try recompute=true, or a smaller model' : 'try a smaller model';
}

/** `1.2 GB: weights 0.1, optimiser 0.2, …`. */
export function describe({ total, weights, optimiser, step, checkpoint }: MemoryEstimate): string {
  const parts = Object.entries({ weights, optimiser, step, checkpoint }).map(
    ([name, bytes]) => `${name} ${sizeText(bytes)}`,
  );
  return `${sizeText(total)} (${parts.join(', ')})`;
}

function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
