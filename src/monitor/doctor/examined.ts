/** From what an examination saw of a model to the records that the doctor reads. */

import type { BlockOutputs, CapturedAttention, HeadOutputs } from '../../core/records.js';
import { summariseAttention } from '../attentionSummary.js';
import { entropyBin, entropyBins } from '../entropyBins.js';
import type { BlockRecord, DoctorRecords, HeadRecord, LayerRecord } from './records.js';
import { groupBy } from './series.js';

/** What one model did at one step with some examples. */
export function examinedRecords(
  { captured, blocks }: { readonly captured: readonly CapturedAttention[]; readonly blocks: readonly BlockOutputs[] },
  step: number,
): DoctorRecords {
  const calls = groupBy(captured, ({ path }) => path);
  const heads = summariseAttention(captured).map((summary) => {
    const own = calls.get(summary.path) ?? [];
    return { ...summary, step, ...zeroesOf(own, summary.head), ...outputsOf(own, summary.head) };
  });
  const layers = [...calls].flatMap(([path, own]) => layerOf(path, own, step));
  const merged = [...groupBy(blocks, ({ path }) => path).values()].map((own) => blockOf(own, step));
  return { heads, layers, blocks: merged };
}

function zeroesOf(calls: readonly CapturedAttention[], head: number): Pick<HeadRecord, 'zeroRatio'> {
  let [zero, all] = [0, 0];
  for (const { record, expected } of calls) {
    const { zeroKeys, batch, heads, queries, statistics } = record;
    if (!zeroKeys) continue;
    for (let b = 0; b < batch; b++) {
      const start = (b * heads + head) * queries;
      const end = start + (expected?.queryLengths?.[b] ?? queries);
      zero += sum(zeroKeys.subarray(start, end));
      all += sum(statistics.keys.subarray(start, end));
    }
  }
  return all > 0 ? { zeroRatio: zero / all } : {};
}

function outputsOf(calls: readonly CapturedAttention[], head: number): Partial<HeadRecord> {
  const outputs = calls.flatMap((call) => call.outputs ?? []);
  const [first] = outputs;
  if (!first) return {};
  const dots = first.dots.map((row, h) => row.map((_, g) => sum(outputs.map((part) => part.dots[h]?.[g] ?? 0))));
  const norms = dots.map((row, h) => Math.sqrt(row[h] ?? 0));
  const own = norms[head] ?? 0;
  const mean = sum(norms) / norms.length;
  return {
    outputRatio: mean > 0 ? own / mean : 1,
    cosines: (dots[head] ?? []).map((dot, other) => cosine(dot, own, norms[other] ?? 0)),
    nonFinite: sum(outputs.map((part) => part.nonFinite[head] ?? 0)),
    ignoredRatio: sum(outputs.map((part) => part.ignored[head] ?? 0)) / sum(outputs.map(({ keys }) => keys)),
    unevenExamples: histogram(outputs, head),
  };
}

/** Two heads that give nothing are not alike. */
function cosine(dot: number, a: number, b: number): number {
  return a > 0 && b > 0 ? dot / (a * b) : 0;
}

function histogram(outputs: readonly HeadOutputs[], head: number): number[] {
  const counts = new Array<number>(entropyBins).fill(0);
  for (const value of outputs.flatMap(({ unevenness }) => unevenness[head] ?? [])) {
    const bin = entropyBin(value);
    if (bin !== undefined) counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function layerOf(path: string, calls: readonly CapturedAttention[], step: number): LayerRecord[] {
  const outputs = calls.flatMap((call) => call.outputs ?? []);
  if (outputs.length === 0) return [];
  const ignoredKeys = sum(outputs.map(({ ignoredByAll }) => ignoredByAll));
  return [{ path, step, ignoredKeys, keys: sum(outputs.map(({ keys }) => keys)) }];
}

/** Means over examples; the largest value of any. */
function blockOf(parts: readonly BlockOutputs[], step: number): BlockRecord {
  const examples = sum(parts.map((part) => part.examples));
  const mean = (name: 'residualRatio' | 'median'): number =>
    sum(parts.map((part) => part[name] * part.examples)) / examples;
  return {
    path: parts[0]?.path ?? '',
    step,
    residualRatio: mean('residualRatio'),
    largest: Math.max(...parts.map(({ largest }) => largest)),
    median: mean('median'),
    nonFinite: sum(parts.map(({ nonFinite }) => nonFinite)),
  };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at] ?? 0;
  return total;
}
