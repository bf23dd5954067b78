/**
 * `evaluation-<split>.json` in a run folder: what `keyhole eval` found last, figures and speed. Written whole, so that
 * it can be read while a run goes on; it says which weights it is about.
 */

import { z } from 'zod';
import type { Split } from '../data/split.js';
import { hostFiles } from '../train/files.js';
import type { Run } from '../train/run.js';
import { parseStrictJson } from '../train/strictJson.js';
import { validate } from '../train/validate.js';

const milliseconds = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() });

const schema = z.strictObject({
  format: z.literal(1),
  /** Update whose weights were evaluated. */
  step: z.int(),
  backend: z.string(),
  target: z.string(),
  threads: z.int(),
  /** ISO 8601. */
  measuredAt: z.string(),
  /** By name, such as `test/loss` and `inference/latencyP50Ms`. */
  figures: z.record(z.string(), z.number()),
  speed: z.strictObject({
    firstMs: z.number(),
    coldMs: milliseconds,
    coldCount: z.int(),
    warmMs: milliseconds,
    peakMemoryMb: z.number(),
    throughput: z.array(z.strictObject({ batch: z.int(), length: z.int(), inputsPerSecond: z.number() })),
  }),
});

/** An evaluation of one split. */
export type Evaluation = Readonly<z.infer<typeof schema>>;

export function writeEvaluation(run: Run, split: Split, evaluation: Evaluation): void {
  run.write(fileOf(split), `${JSON.stringify(evaluation, null, 2)}\n`);
}

/** The last evaluation of a split; undefined when there is none. Errors: FormatError for a damaged file. */
export function readEvaluation(run: Run, split: Split): Evaluation | undefined {
  const path = run.path(fileOf(split));
  if (!hostFiles.exists(path)) return undefined;
  return validate(schema, parseStrictJson(hostFiles.readBytes(path), path), path);
}

function fileOf(split: Split): string {
  return `evaluation-${split}.json`;
}
