/**
 * `keyhole bench`: speed against the machine's own limits, measured in the same run on the same threads. Every result is
 * checked before it is timed. What is measured is listed in bench/cases.ts; docs/performance.md says how to read it.
 */

import { Argument, Command, Option } from 'commander';
import { type BackendName, type LoadOptions, loadBackend } from '../backend/registry.js';
import { UsageError } from '../core/errors.js';
import { setBackend } from '../tensor/create.js';
import { type BenchKind, benchCases, benchKinds, everyKind, quickCases } from './bench/cases.js';
import { describeMachine } from './bench/machine.js';
import type { Subject } from './bench/prepared.js';
import { type BenchFigures, benchmarks } from './bench/suite.js';
import { heading, machineRows, rowOf } from './bench/table.js';
import { hasty, thorough } from './bench/timing.js';
import { Output } from './output.js';

interface BenchFlags {
  readonly backend?: BackendName;
  readonly target?: string;
  readonly threads?: string;
  readonly scaling?: boolean;
  readonly quick?: boolean;
  readonly json?: boolean;
}

const examples = `
Example:
  keyhole bench attention --threads 1
  keyhole bench gemm --backend native --target avx2 --json
  keyhole bench attention --scaling

Ratios are against the fastest multiply-adds and copies that the same threads reached in the same run.`;

export function benchCommand(): Command {
  return new Command('bench')
    .description("Measures kernels and training steps against the machine's peak; checks results before it times.")
    .addArgument(new Argument('[what]', 'what to measure (default: everything)').choices(benchKinds))
    .addOption(new Option('--backend <name>', 'kernels to use').choices(['native', 'wasm', 'reference']))
    .option('--target <name>', 'instruction set of --backend: avx512, avx2, baseline, neon; relaxed, simd')
    .option('--threads <number>', "threads (default: the machine's)")
    .option('--scaling', 'every case on one thread and on all, in turns')
    .option('--quick', 'small sizes and few runs: a look, not a figure')
    .option('--json', 'print one JSON array, an object for each case')
    .addHelpText('after', examples)
    .action(bench);
}

async function bench(what: BenchKind | undefined, { json, quick = false, ...flags }: BenchFlags): Promise<void> {
  const output = new Output({ json });
  const subjects = await subjectsOf(flags);
  for (const { machine } of subjects) output.table(machineRows(machine));
  output.line(`\n${heading}`);
  const figures: BenchFigures[] = [];
  const [cases, timing] = quick ? [quickCases, hasty] : [benchCases, thorough];
  for (const run of benchmarks(what === undefined ? everyKind : [what], cases)) {
    const found = run(subjects, timing);
    for (const each of found) output.line(rowOf(each));
    figures.push(...found);
  }
  output.result(figures);
}

/** The backend that was asked for, with --scaling once on one thread before. */
async function subjectsOf({ threads, scaling = false, backend, target }: BenchFlags): Promise<Subject[]> {
  const chosen: LoadOptions = { ...(backend && { backend }), ...(target !== undefined && { target }) };
  const all = await loadBackend({ ...chosen, ...(threads !== undefined && { threads: Number(threads) }) });
  if (scaling && all.info.threads === 1)
    throw new UsageError(`bench: expected several threads for --scaling, got 1 on ${all.info.backend}`);
  const backends = scaling ? [await loadBackend({ ...chosen, threads: 1 }), all] : [all];
  setBackend(all);
  return backends.map((each) => ({ backend: each, machine: describeMachine(each.info) }));
}
