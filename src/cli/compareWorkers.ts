/** Trainings in processes of their own, several at a time, each with one thread. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { StateError } from '../core/errors.js';
import type { Job } from './comparePlan.js';

/** What a training says of itself at its end (`keyhole train --json`), its figures beside the rest. */
const resultSchema = z.looseObject({
  run: z.string(),
  status: z.string(),
  steps: z.number(),
  seconds: z.number(),
  parameters: z.number(),
  peakMemoryMb: z.number(),
  tokensPerSecond: z.number(),
  latencyMs: z.looseObject({ p50: z.number() }),
  tables: z
    .array(
      z.object({
        title: z.string(),
        columns: z.array(z.string()),
        rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
      }),
    )
    .default([]),
});

export type JobResult = z.infer<typeof resultSchema>;

/** One training that is over. */
export interface Trained {
  readonly job: Job;
  readonly result: JobResult;
}

/** A figure of a training; NaN where it has none. */
export function figureOf({ result }: Trained, name: string): number {
  const value = result[name];
  return typeof value === 'number' ? value : Number.NaN;
}

export interface WorkerOptions {
  /** Processes at a time. */
  readonly workers: number;
  /** Arguments of `keyhole` for a job. */
  readonly argumentsOf: (job: Job) => readonly string[];
  /** The last line that a job wrote about its progress. */
  readonly onProgress: (job: Job, line: string) => void;
  readonly onResult: (trained: Trained) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Runs all jobs. Errors: StateError with the last lines of a job that failed; the others are stopped then. */
export async function runJobs(jobs: readonly Job[], options: WorkerOptions): Promise<readonly Trained[]> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const results: Trained[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      const trained = { job, result: await runJob(job, { ...options, signal }) };
      results.push(trained);
      options.onResult(trained);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.workers, jobs.length) }, work));
  } catch (error) {
    stop.abort();
    throw error;
  }
  return jobs.map((job) => results.find((trained) => trained.job === job) as Trained);
}

function runJob(job: Job, { argumentsOf, onProgress, signal }: WorkerOptions): Promise<JobResult> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...argumentsOf(job)], {
      env: { ...process.env, KEYHOLE_THREADS: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal && { signal }),
    });
    let [output, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2000);
      onProgress(job, said.trimEnd().split('\n').at(-1) ?? '');
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const { variant, seed } = job;
      const found = code === 0 ? resultSchema.safeParse(JSON.parse(output)) : undefined;
      if (found?.success) return resolve(found.data);
      reject(
        new StateError(`compare: ${variant.name}, seed ${seed} ended with code ${code}: ${said.trim().slice(-400)}`),
      );
    });
  });
}
