/** Rules on masks: mass where none may be, rows with nothing to look at. */

import type { HeadRecord } from '../records.js';
import type { Rule, Threshold } from '../rule.js';
import { firstOfEach } from '../series.js';
import { sighting } from './entropy.js';

const onPadding: Threshold = { severity: 'error', value: 1e-6, origin: 'our default' };

export const paddingLeak: Rule = {
  name: 'padding-leak',
  measures: 'mean mass of real queries on padding keys',
  source: 'our default',
  thresholds: [onPadding],
  cause: 'the padding mask is missing or does not fit the lengths',
  remedy: 'give the layer keyPadding(lengths); what was trained without it has learned from padding',
  stops: true,
  find: (records) => leaks(records.heads, ({ paddingMass }) => paddingMass ?? 0, onPadding),
};

const onFuture: Threshold = { severity: 'error', value: 0, origin: 'our default' };

export const causalLeak: Rule = {
  name: 'causal-leak',
  measures: 'mean mass on keys after their query, in a layer meant to be causal',
  source: 'our default',
  thresholds: [onFuture],
  cause: 'the causal mask is missing: the model reads what it is to predict',
  remedy: 'give the layer causal(); figures measured without it mean nothing',
  stops: true,
  find: (records) => leaks(records.heads, ({ futureMass }) => futureMass ?? 0, onFuture),
};

function leaks(heads: readonly HeadRecord[], massOf: (head: HeadRecord) => number, threshold: Threshold) {
  return firstOfEach({ heads }, (head) => massOf(head) > threshold.value).map((head) =>
    sighting(head, massOf(head), threshold, `${(100 * massOf(head)).toPrecision(3)} % of the mass, first seen here`),
  );
}

const anyMasked: Threshold = { severity: 'error', value: 0, origin: 'our default' };

export const maskedRow: Rule = {
  name: 'masked-row',
  measures: 'real query rows with no allowed key',
  source: 'our default',
  thresholds: [anyMasked],
  cause: 'a mask or padding fault: these rows give zeros',
  remedy: 'look at how masks are combined, and for sequences of length 0',
  find: (records) =>
    firstOfEach(records, ({ maskedRows }) => maskedRows > 0).map((head) =>
      sighting(head, head.maskedRows, anyMasked, `${head.maskedRows} of ${head.rows + head.maskedRows} rows`),
    ),
};
