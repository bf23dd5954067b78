/** Rules on how attention spreads over keys: collapse, saturation, uniform heads, sinks. */

import type { DoctorRecords, HeadRecord } from '../records.js';
import { passed, type Rule, type Sighting, type Threshold } from '../rule.js';
import { latest, layersOf, seriesOf } from '../series.js';

const collapsedHead: Threshold = { severity: 'warning', value: 0.1, origin: 'our default', measure: 'one head' };
const collapsedLayer: Threshold = {
  severity: 'error',
  value: 0.02,
  origin: 'our default',
  measure: 'in 25 % of the heads of a layer or more',
};
const fall: Threshold = {
  severity: 'error',
  value: 0.5,
  origin: 'our default',
  measure: 'fall within 100 steps, relative, while the gradient norm doubles or more',
};
/** Share of a layer's heads that makes a collapse of the layer. */
const layerShare = 0.25;
/** Steps within which a fall is sudden. */
const suddenSteps = 100;
/** Factor by which the gradient norm must grow meanwhile to count as rising. */
const risingFactor = 2;

export const entropyCollapse: Rule = {
  name: 'entropy-collapse',
  measures: 'mean of entropy / ln n of a head, n allowed keys',
  source: 'Zhai et al. 2023',
  thresholds: [collapsedHead, collapsedLayer, fall],
  cause: 'logits outgrow the softmax: rate too high, no warm-up, or a scale that is missing',
  remedy: 'QK-norm, a lower rate, warm-up, σReparam; in a cross-attention that aligns, low entropy may be right',
  find: (records) => [
    ...latest(records).flatMap(collapsedHeads),
    ...layersOf(records).flatMap(collapsedLayers),
    ...fallsOf(records),
  ],
};

function collapsedHeads(head: HeadRecord): Sighting[] {
  if (!(head.entropyRatio < collapsedHead.value)) return [];
  return [sighting(head, head.entropyRatio, collapsedHead, `entropy ${head.entropyNats.toPrecision(3)} nats`)];
}

function collapsedLayers(heads: readonly HeadRecord[]): Sighting[] {
  const low = heads.filter(({ entropyRatio }) => entropyRatio < collapsedLayer.value);
  const [first] = low;
  if (!first || low.length < layerShare * heads.length) return [];
  const { head: _, ...where } = sighting(first, first.entropyRatio, collapsedLayer, '');
  return [{ ...where, evidence: `${low.length} of ${heads.length} heads: ${low.map(({ head }) => head).join(', ')}` }];
}

function fallsOf(records: DoctorRecords): Sighting[] {
  return seriesOf(records).flatMap((series) => {
    for (const [at, now] of series.entries()) {
      const before = series.slice(0, at).filter(({ step }) => now.step - step <= suddenSteps);
      const highest = Math.max(...before.map(({ entropyRatio }) => entropyRatio));
      const lost = 1 - now.entropyRatio / highest;
      const start = before.find(({ entropyRatio }) => entropyRatio === highest)?.step ?? now.step;
      if (lost > fall.value && gradientRises(records, start, now.step)) {
        return [
          sighting(now, lost, fall, `${highest.toFixed(3)} at step ${start}, ${now.entropyRatio.toFixed(3)} now`),
        ];
      }
    }
    return [];
  });
}

function gradientRises({ gradientNorms = [] }: DoctorRecords, from: number, to: number): boolean {
  const mean = (low: number, high: number): number => {
    const values = gradientNorms.filter(({ step }) => step > low && step <= high).map(({ value }) => value);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  return mean(from, to) > risingFactor * mean(from - suddenSteps, from);
}

const saturated: Threshold = { severity: 'warning', value: 0.5, origin: 'our default' };

export const saturatedSoftmax: Rule = {
  name: 'saturated-softmax',
  measures: 'share of rows whose largest weight exceeds 0.99',
  source: 'our default',
  thresholds: [saturated],
  cause: 'logits far apart: the gradient through this head is near zero',
  remedy: 'QK-norm or softcap, a lower rate; check that the scale is 1/√D',
  find: (records) =>
    headsPassing(
      records,
      [saturated],
      (head) => (head.keys >= 2 ? head.saturatedRatio : 0),
      'above',
      ({ pMax }) => {
        return `mean largest weight ${pMax.toFixed(3)}`;
      },
    ),
};

const uniform: Threshold = { severity: 'warning', value: 0.98, origin: 'our default' };

export const uniformHead: Rule = {
  name: 'uniform-head',
  measures: 'mean of entropy / ln n of a head',
  source: 'our default',
  thresholds: [uniform],
  cause: 'the head is untrained or unused, or its logits are too small',
  remedy: 'check scale and mask; train longer; prune it when it stays',
  find: (records) =>
    headsPassing(
      records,
      [uniform],
      ({ entropyRatio }) => entropyRatio,
      'above',
      ({ keys }) => {
        return `over ${keys.toFixed(1)} keys on average`;
      },
    ),
};

const sinkHead: Threshold = { severity: 'note', value: 0.3, origin: 'published', measure: 'one head' };
const sinkModel: Threshold = {
  severity: 'warning',
  value: 0.8,
  origin: 'our default',
  measure: 'share of sink heads in the model',
};

export const attentionSink: Rule = {
  name: 'attention-sink',
  measures: 'mean mass on the first key; uniform attention over few keys does not count',
  source: 'Xiao et al. 2023; Gu et al. 2024',
  thresholds: [sinkHead, sinkModel],
  cause: 'heads with nothing to say park their attention on a key without meaning',
  remedy: 'normal in trained causal models; keep the first tokens in windows and caches',
  find: (records) => {
    const heads = latest(records);
    const sinks = heads.filter(isSink);
    const notes = sinks.map((head) => sighting(head, head.firstMass, sinkHead, `over ${head.keys.toFixed(1)} keys`));
    const share = sinks.length / heads.length;
    const [first] = sinks;
    if (!first || !(share > sinkModel.value)) return notes;
    const evidence = `${sinks.length} of ${heads.length} heads are sink heads`;
    return [...notes, { path: '', step: first.step, measured: share, threshold: sinkModel, evidence }];
  },
};

/** More than the published mass, and more than twice what a uniform head over as many keys has. */
function isSink({ firstMass, keys }: HeadRecord): boolean {
  return firstMass > sinkHead.value && firstMass > 2 / keys;
}

/** One sighting for each head whose latest value passes a threshold. */
export function headsPassing(
  records: DoctorRecords,
  thresholds: readonly Threshold[],
  measureOf: (head: HeadRecord) => number,
  direction: 'above' | 'below',
  evidence: (head: HeadRecord) => string,
): Sighting[] {
  return latest(records).flatMap((head) => {
    const threshold = passed(thresholds, measureOf(head), direction);
    return threshold ? [sighting(head, measureOf(head), threshold, evidence(head))] : [];
  });
}

export function sighting(
  { path, head, step }: HeadRecord,
  measured: number,
  threshold: Threshold,
  evidence: string,
): Sighting {
  return { path, head, step, measured, threshold, evidence };
}
