/** Rules on what keys receive, and on what moved between two runs, checkpoints, splits or tasks. */

import type { DoctorRecords, HeadRecord } from '../records.js';
import type { Rule, Sighting, Threshold } from '../rule.js';
import { headKey, latest } from '../series.js';
import { stabilityIndex } from '../stabilityIndex.js';
import { headsPassing, sighting } from './entropy.js';

const unseen: Threshold = {
  severity: 'warning',
  value: 0,
  origin: 'our default',
  measure: 'share of keys that no head of a layer looks at',
};
const zeroWeights: Threshold = {
  severity: 'note',
  value: 0.5,
  origin: 'our default',
  measure: 'share of the allowed weights of a head below 1e-6',
};

export const zeroAttention: Rule = {
  name: 'zero-attention',
  measures: 'keys that receive less than 1e-6 on average from every query and head; share of weights below 1e-6',
  source: 'our default',
  thresholds: [unseen, zeroWeights],
  cause: 'a fault of initialisation, mask or training: part of the input cannot be seen',
  remedy: 'look at the tokens named by the picture; check mask and lengths; a saturated head has its own finding',
  find: (records) => [
    ...(records.layers ?? []).flatMap(unseenKeys),
    ...headsPassing(
      records,
      [zeroWeights],
      ({ zeroRatio = 0 }) => zeroRatio,
      'above',
      ({ ignoredRatio = 0 }) => {
        return `${(100 * ignoredRatio).toFixed(1)} % of the keys receive nothing from this head`;
      },
    ),
  ],
};

function unseenKeys({ path, step, ignoredKeys, keys }: NonNullable<DoctorRecords['layers']>[number]): Sighting[] {
  if (ignoredKeys === 0) return [];
  return [{ path, step, measured: ignoredKeys / keys, threshold: unseen, evidence: `${ignoredKeys} of ${keys} keys` }];
}

const uneven: Threshold = { severity: 'warning', value: 0.25, origin: 'published' };

export const unevenAttention: Rule = {
  name: 'uneven-attention',
  measures: 'population stability index of the Gini coefficients of what keys receive, this against the other',
  source: 'PSI > 0.25 is the common rule for a shift',
  thresholds: [uneven],
  cause: 'attention is spread over keys less or more evenly than there: biased inputs, or another kind of text',
  remedy: 'compare the tasks, splits or models named; look at the tokens that receive most',
  find: moved(({ unevenExamples }) => unevenExamples, uneven, 'Gini coefficient of received attention'),
};

const drifted: Threshold = { severity: 'warning', value: 0.25, origin: 'published' };

export const drift: Rule = {
  name: 'drift',
  measures: 'population stability index of the normalised entropies of the rows of a head, this against the other',
  source: 'PSI > 0.25 is the common rule for a shift',
  thresholds: [drifted],
  cause: 'this head does something else than there',
  remedy: 'expected between tasks and over training; between two runs of one model look at data, seed and rate',
  find: moved(({ entropyRows }) => entropyRows, drifted, 'normalised entropy'),
};

type Counts = (head: HeadRecord) => readonly number[] | undefined;

/** Heads whose histogram moved between the two, beyond what chance does with so few rows. */
function moved(countsOf: Counts, threshold: Threshold, what: string): Rule['find'] {
  return (records, against) => {
    const others = new Map(latest(against ?? { heads: [] }).map((head) => [headKey(head), head]));
    return latest(records).flatMap((head) => {
      const other = others.get(headKey(head));
      const [here, there] = [countsOf(head), other && countsOf(other)];
      const index = here && there ? stabilityIndex(here, there) : 0;
      if (!(index > threshold.value)) return [];
      const evidence = `mean ${what} ${meanOf(here ?? []).toFixed(3)} here, ${meanOf(there ?? []).toFixed(3)} there`;
      return [sighting(head, index, threshold, evidence)];
    });
  };
}

/** Mean of the middles of the bins over [0, 1]. */
function meanOf(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, bin) => sum + (count * (bin + 0.5)) / counts.length, 0) / total;
}
