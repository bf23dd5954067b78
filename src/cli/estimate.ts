/**
 * `keyhole estimate`: what a transformer of given sizes would cost, mechanism by mechanism, before it is built. The
 * figures come from ../models/estimate; this file measures the machine and writes the table. See docs/estimate.md.
 */

import { Command, Option } from 'commander';
import { loadBackend } from '../backend/registry.js';
import { UsageError } from '../core/errors.js';
import { type Comparison, compareMechanisms, type Estimate } from '../models/estimate/estimate.js';
import { mechanismNames } from '../models/estimate/mechanisms.js';
import { checkPlan, type ModelPlan } from '../models/estimate/plan.js';
import type { MachineSpeed } from '../models/estimate/time.js';
import { describeMachine } from './bench/machine.js';
import { Output } from './output.js';

interface EstimateFlags {
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads?: number;
  readonly width: number;
  readonly hidden?: number;
  readonly vocabulary?: number;
  readonly length: number;
  readonly batch: number;
  readonly mask?: string;
  readonly bidirectional?: boolean;
  readonly train?: boolean;
  readonly dropout?: boolean;
  readonly reach?: number;
  readonly peak?: number;
  readonly copy?: number;
  readonly json?: boolean;
}

const examples = `
Example:
  keyhole estimate --layers 12 --heads 12 --width 768 --length 4096 --batch 1 --train --reach 2048
  keyhole estimate --layers 6 --heads 8 --width 512 --length 8192 --batch 4 --mask window:256 --json

Times are predictions: the machine's peak is measured now, the shares of it that kernels reach are in docs/estimate.md.`;

export function estimateCommand(): Command {
  return new Command('estimate')
    .description(
      'Predicts parameters, operations, memory and time of a transformer, for one attention mechanism after the other.',
    )
    .addOption(size('--layers <number>', 'blocks').makeOptionMandatory())
    .addOption(size('--heads <number>', 'query heads').makeOptionMandatory())
    .addOption(size('--key-value-heads <number>', 'key/value heads (default: as many)'))
    .addOption(size('--width <number>', 'model width').makeOptionMandatory())
    .addOption(size('--hidden <number>', 'feed-forward width (default: 4 × width)'))
    .addOption(size('--vocabulary <number>', 'token ids (default: 50257)'))
    .addOption(size('--length <number>', 'tokens of a sequence').makeOptionMandatory())
    .addOption(size('--batch <number>', 'sequences').makeOptionMandatory())
    .option('--mask <name>', `mechanism of the plan: ${mechanismNames} (default: causal, or full when bidirectional)`)
    .option('--bidirectional', 'an encoder, which sees both ways, instead of a language model')
    .option('--train', 'a training step with AdamW instead of a forward pass')
    .option('--dropout', 'with dropout while training')
    .addOption(size('--reach <number>', 'positions back that information must travel (default: all)'))
    .addOption(size('--peak <gflops>', 'of the machine, instead of measuring it; with --copy'))
    .addOption(size('--copy <gigabytes>', 'a second; copy bandwidth of the machine'))
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
    .action(run);
}

/** An option that takes a number; which ones make sense is the estimate's to say. */
function size(flags: string, description: string): Option {
  return new Option(flags, description).argParser(Number);
}

async function run({ mask: mechanism, reach, peak, copy, json, ...plan }: EstimateFlags): Promise<void> {
  const output = new Output({ json });
  checkPlan(plan); // what is wrong is said before some seconds of measuring
  const machine = await speedOf(peak, copy);
  const comparison = compareMechanisms(plan, { mechanism, reach, machine });
  show(output, plan, comparison, machine);
  output.result({ plan, machine: machine ?? null, ...comparison });
}

/** Measured, unless it is given; undefined on the reference backend, which is not made for speed. */
async function speedOf(peak?: number, copy?: number): Promise<MachineSpeed | undefined> {
  if ((peak === undefined) !== (copy === undefined))
    throw new UsageError('estimate: expected --peak and --copy, got one');
  if (peak !== undefined && copy !== undefined) {
    if (peak > 0 && copy > 0) return { peakGflops: peak, copyGigabytesPerSecond: copy };
    throw new UsageError(`estimate: expected --peak and --copy above 0, got ${peak} and ${copy}`);
  }
  const { peakGflops, copyGigabytesPerSecond } = describeMachine((await loadBackend()).info);
  return peakGflops === null || copyGigabytesPerSecond === null ? undefined : { peakGflops, copyGigabytesPerSecond };
}

function show(
  output: Output,
  plan: ModelPlan,
  { estimates, cheapest, reach }: Comparison,
  machine?: MachineSpeed,
): void {
  const [own] = estimates;
  const { weights, gradients, optimiser, activations, cache } = own.memory;
  const parts = Object.entries({ weights, gradients, optimiser, activations }).filter(([, bytes]) => bytes > 0);
  output.table([
    ['mechanism', own.mechanism],
    ['parameters', own.parameters.toLocaleString('en')],
    ['operations', `${engineering(own.operations)} a ${passOf(plan)}`],
    [
      'memory',
      `${sizeText(own.memory.total)}: ${parts.map(([name, bytes]) => `${name} ${sizeText(bytes)}`).join(', ')}`,
    ],
    ['cache', `${sizeText(cache)} when it writes ${plan.batch} × ${plan.length} tokens`],
    ['reach', `${own.reach.oneLayer} positions back through one layer, ${own.reach.allLayers} through all`],
    ['predicted', `${timeText(own.predictedMs)} a ${passOf(plan)}`],
  ]);
  output.line();
  output.table([header, ...estimates.map(rowOf)]);
  output.line();
  output.line(
    cheapest ? `Cheapest that reaches ${reach} back: ${nameOf(cheapest)}.` : `None of these reaches ${reach} back.`,
  );
  output.line(machine ? predictionNote(machine) : 'No time is predicted: this backend is not made for speed.');
}

function passOf({ train }: ModelPlan): string {
  return train ? 'training step' : 'forward pass';
}

const header = [
  'mechanism',
  'pairs',
  'computed',
  'operations',
  'memory',
  'cache',
  'reach: a layer',
  'all',
  'predicted',
];

function rowOf(each: Estimate): string[] {
  const { densityRatio, computedRatio, operations, memory, reach, predictedMs } = each;
  return [
    nameOf(each),
    ...[densityRatio, computedRatio].map((ratio) => (ratio === null ? '-' : `${(100 * ratio).toFixed(1)} %`)),
    ...[engineering(operations), sizeText(memory.total), sizeText(memory.cache)],
    ...[reach.oneLayer, reach.allLayers].map(String),
    timeText(predictedMs),
  ];
}

function nameOf({ mechanism, keyValueHeads }: Estimate): string {
  return `${mechanism}, ${keyValueHeads} key/value ${keyValueHeads === 1 ? 'head' : 'heads'}`;
}

function predictionNote({ peakGflops, copyGigabytesPerSecond }: MachineSpeed): string {
  const limits = `${peakGflops.toFixed(1)} GFLOP/s and ${copyGigabytesPerSecond.toFixed(1)} GB/s`;
  return `Times are predictions, from a peak of ${limits} and the shares in docs/estimate.md.`;
}

function engineering(operations: number): string {
  return `${(operations / 1e9).toPrecision(4)} G`;
}

function timeText(ms: number | null): string {
  if (ms === null) return '-';
  return ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : `${ms.toPrecision(3)} ms`;
}

function sizeText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
