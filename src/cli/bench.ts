/**
 * `keyhole bench`: speed against the machine's own limits, measured in the same run on the same threads. Every result is
 * checked before it is timed. What is measured is listed in bench/cases.ts; docs/performance.md says how to read it.
 */

import { Argument, Command, Option } from 'commander';
import { type BackendName, loadBackend } from '../backend/registry.js';
import { setBackend } from '../tensor/create.js';
import { type BenchKind, benchCases, benchKinds, quickCases } from './bench/cases.js';
import { describeMachine } from './bench/machine.js';
import { type BenchFigures, benchmarks } from './bench/suite.js';
import { heading, machineRows, rowOf } from './bench/table.js';
import { hasty, thorough } from './bench/timing.js';
import { Output } from './output.js';

interface BenchFlags {
  readonly backend?: BackendName;
  readonly target?: string;
  readonly threads?: string;
  readonly quick?: boolean;
  readonly json?: boolean;
}

const examples = `
Example:
  keyhole bench attention --threads 1
  keyhole bench gemm --backend native --target avx2 --json

Ratios are against the fastest multiply-adds and copies that the same threads reached in the same run.`;

export function benchCommand(): Command {
  return new Command('bench')
    .description("Measures kernels and training steps against the machine's peak; checks results before it times.")
    .addArgument(new Argument('[what]', 'what to measure (default: everything)').choices(benchKinds))
    .addOption(new Option('--backend <name>', 'kernels to use').choices(['native', 'wasm', 'reference']))
    .option('--target <name>', 'instruction set of --backend: avx512, avx2, baseline, neon; relaxed, simd')
    .option('--threads <number>', "threads (default: the machine's)")
    .option('--quick', 'small sizes and few runs: a look, not a figure')
    .option('--json', 'print one JSON array, an object for each case')
    .addHelpText('after', examples)
    .action(bench);
}

async function bench(what: BenchKind | undefined, { json, quick = false, ...flags }: BenchFlags): Promise<void> {
  const output = new Output({ json });
  const { threads, ...chosen } = flags;
  const backend = await loadBackend({ ...chosen, ...(threads !== undefined && { threads: Number(threads) }) });
  setBackend(backend);
  const machine = describeMachine(backend.info);
  output.table(machineRows(machine));
  output.line(`\n${heading}`);
  const figures: BenchFigures[] = [];
  const [cases, timing] = quick ? [quickCases, hasty] : [benchCases, thorough];
  for (const run of benchmarks(what === undefined ? benchKinds : [what], cases)) {
    const found = run(backend, machine, timing);
    output.line(rowOf(found));
    figures.push(found);
  }
  output.result(figures);
}
