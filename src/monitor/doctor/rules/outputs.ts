/** Rules on what leaves heads and blocks: inactive and redundant heads, collapsed rank, massive activations. */

import type { HeadRecord } from '../records.js';
import { passed, type Rule, type Sighting, type Threshold } from '../rule.js';
import { latest, layersOf } from '../series.js';
import { sighting } from './entropy.js';

const silent: Threshold = {
  severity: 'warning',
  value: 0.1,
  origin: 'our default',
  measure: 'output norm relative to the layer',
};
const parked: Threshold = {
  severity: 'note',
  value: 0.3,
  origin: 'published',
  measure: 'mass on the first key, with an output norm below half of the layer',
};
/** Output norm, relative to the layer, under which a sink head counts as inactive. */
const halfNorm = 0.5;

export const inactiveHead: Rule = {
  name: 'inactive-head',
  measures: 'norm of the head output relative to the mean of its layer, and mass on the first key',
  source: 'arXiv 2504.03889, 2025',
  thresholds: [silent, parked],
  cause: 'the head adds next to nothing to its layer',
  remedy: 'prune it (keyhole prune), or train again with another seed or rate',
  find: (records) =>
    latest(records).flatMap((head) => {
      const { outputRatio = Number.NaN, firstMass } = head;
      const evidence = `output norm ${outputRatio.toFixed(3)} of the layer, first-key mass ${firstMass.toFixed(3)}`;
      if (outputRatio < silent.value) return [sighting(head, outputRatio, silent, evidence)];
      const isParked = firstMass > parked.value && firstMass > 2 / head.keys && outputRatio < halfNorm;
      return isParked ? [sighting(head, firstMass, parked, evidence)] : [];
    }),
};

const alike: Threshold = { severity: 'warning', value: 0.95, origin: 'our default' };

export const redundantHeads: Rule = {
  name: 'redundant-heads',
  measures: 'cosine of the outputs of two heads of a layer',
  source: 'our default',
  thresholds: [alike],
  cause: 'two heads do the same',
  remedy: 'prune one, or share keys and values between heads (GQA)',
  find: (records) => layersOf(records).flatMap((heads) => heads.flatMap(twinsOf)),
};

/** Heads after this one that are like it, so that every pair is found once. */
function twinsOf(head: HeadRecord): Sighting[] {
  return (head.cosines ?? []).flatMap((cosine, other) =>
    other > head.head && cosine > alike.value ? [sighting(head, cosine, alike, `with head ${other}`)] : [],
  );
}

const lowRank: readonly Threshold[] = [
  { severity: 'warning', value: 0.1, origin: 'our default' },
  { severity: 'error', value: 0.01, origin: 'our default' },
];

export const rankCollapse: Rule = {
  name: 'rank-collapse',
  measures: 'norm of a block output after removing its mean over rows, relative to the whole',
  source: 'Dong et al. 2021',
  thresholds: lowRank,
  cause: 'every position holds the same vector: attention averages and nothing brings the differences back',
  remedy: 'skip connections, pre-norm, smaller initial values of the branches',
  find: ({ blocks = [] }) =>
    blocks.flatMap(({ path, step, residualRatio }) => {
      const threshold = passed(lowRank, residualRatio, 'below');
      const evidence = 'residual of the rows, relative';
      return threshold ? [{ path, step, measured: residualRatio, threshold, evidence }] : [];
    }),
};

const massive: Threshold = { severity: 'warning', value: 100, origin: 'published' };
/** How many times the median of the layer the value must be as well (Sun et al. 2024, §2). */
const timesMedian = 1000;

export const massiveActivation: Rule = {
  name: 'massive-activation',
  measures: 'largest absolute value of a block output, when above 1000 times the median as well',
  source: 'Sun et al. 2024',
  thresholds: [massive],
  cause: 'single values act as constant biases; they go with attention sinks',
  remedy: 'harmless in float32; keep them in mind when quantising, or train with explicit sinks or attention biases',
  find: ({ blocks = [] }) =>
    blocks
      .filter(({ largest, median }) => largest > massive.value && largest > timesMedian * median)
      .map(({ path, step, largest, median }) => {
        const evidence = `${(largest / median).toPrecision(3)} times the median ${median.toPrecision(3)}`;
        return { path, step, measured: largest, threshold: massive, evidence };
      }),
};
