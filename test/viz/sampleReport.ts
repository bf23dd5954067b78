/** A made-up run that looks like a real one: five words, attention that walks along them, curves that fall. */

import { RandomStream } from '../../src/core/random.js';
import type { AttentionPicture } from '../../src/core/records.js';
import type { HealthPoint } from '../../src/viz/healthData.js';
import type { MetricPoint, ReportData, ReportSample } from '../../src/viz/reportData.js';

export const words: readonly (readonly [letters: string, sounds: string])[] = [
  ['keyhole', 'K IY HH OW L'],
  ['thought', 'TH AO T'],
  ['photograph', 'F OW T AH G R AE F'],
  ['mississippi', 'M IH S IH S IH P IY'],
  ['attention', 'AH T EH N SH AH N'],
];

type Score = (row: number, column: number) => number;

/** Softmax of scores row by row; -Infinity is masked and comes out as NaN. */
function weightsOf(rows: number, columns: number, score: Score): number[][] {
  return Array.from({ length: rows }, (_, r) => {
    const powers = Array.from({ length: columns }, (_, c) => Math.exp(score(r, c)));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => (power === 0 ? Number.NaN : power / sum));
  });
}

/** All heads of the three stacks for one word; later layers are sharper, each head has a habit of its own. */
export function samplePictures(letters: string, sounds: string, layers: number, heads: number): AttentionPicture[] {
  const input = [...letters, '</s>'];
  const output = ['<s>', ...sounds.split(' ')];
  const random = new RandomStream(7);
  const pictures: AttentionPicture[] = [];
  const add = (path: string, kind: 'self' | 'cross', rows: string[], columns: string[], score: Score): void => {
    for (let head = 0; head < heads; head++) {
      const noise = random.normal();
      const offset = (head % 4) - 1;
      const own: Score = (r, c) => score(r, c - offset) * (1.2 + 0.4 * noise) + 0.3 * random.normal();
      pictures.push({ path, kind, head, rows, columns, weights: weightsOf(rows.length, columns.length, own) });
    }
  };
  const along: (sharpness: number) => Score = (sharpness) => (r, c) =>
    -sharpness * Math.abs((r * (input.length - 1)) / (output.length - 1) - c);
  const near: (sharpness: number) => Score = (sharpness) => (r, c) => -sharpness * Math.abs(r - c);
  const causal: (score: Score) => Score = (score) => (r, c) => (c > r + 1.5 ? Number.NEGATIVE_INFINITY : score(r, c));
  for (let layer = 0; layer < layers; layer++)
    add(`encoder.blocks.${layer}.attention`, 'self', input, input, near(0.5 + layer / 4));
  for (let layer = 0; layer < layers; layer++) {
    add(`decoder.blocks.${layer}.selfAttention`, 'self', output, output, causal(near(0.6)));
    add(
      `decoder.blocks.${layer}.crossAttention`,
      'cross',
      output,
      input,
      along(0.3 + (1.6 * layer) / Math.max(1, layers - 1)),
    );
  }
  return pictures.map((picture) =>
    picture.path.includes('decoder') && picture.kind === 'self' ? mask(picture) : picture,
  );
}

/** A causal mask, renormalised. */
function mask(picture: AttentionPicture): AttentionPicture {
  const weights = picture.weights.map((row, r) => {
    const allowed = row.map((weight, c) => (c > r ? Number.NaN : Number.isNaN(weight) ? 0.01 : weight));
    const sum = allowed.reduce((total, weight) => total + (Number.isNaN(weight) ? 0 : weight), 0);
    return allowed.map((weight) => weight / sum);
  });
  return { ...picture, weights };
}

function sampleMetrics(steps: number): MetricPoint[] {
  const random = new RandomStream(3);
  const points: MetricPoint[] = [];
  for (let step = 10; step <= steps; step += 10) {
    const falling = 0.35 + 2.9 * Math.exp(-step / 350);
    points.push({ step, name: 'train/loss', value: falling + 0.05 * random.normal(), unit: 'nats' });
    points.push({
      step,
      name: 'train/learningRate',
      value: 0.002 * Math.min(step / 200, Math.sqrt(200 / step)),
      unit: '',
    });
    points.push({
      step,
      name: 'train/gradientNorm',
      value: 0.4 + 3 * Math.exp(-step / 200) * (1 + random.uniform()),
      unit: '',
    });
    if (step % 200 !== 0) continue;
    points.push({ step, name: 'validation/loss', value: falling + 0.12, unit: 'nats' });
    points.push({ step, name: 'validation/tokenAccuracy', value: 100 - 22 * falling, unit: '%' });
    points.push({ step, name: 'validation/phonemeErrorRate', value: 24 * falling, unit: '%' });
  }
  return points;
}

function sampleEntropy(steps: number, layers: number, heads: number): HealthPoint[] {
  const random = new RandomStream(5);
  const paths = Array.from({ length: layers }, (_, layer) => [
    `encoder.blocks.${layer}.attention`,
    `decoder.blocks.${layer}.selfAttention`,
    `decoder.blocks.${layer}.crossAttention`,
  ]).flat();
  return paths.flatMap((path) =>
    Array.from({ length: heads }, (_, head) => {
      const end = 0.2 + 0.6 * random.uniform();
      return Array.from({ length: Math.floor(steps / 200) }, (_, i) => {
        const entropyRatio = end + (0.97 - end) * Math.exp(-i / 3) + 0.01 * random.normal();
        return { step: 200 * (i + 1), path, head, entropyRatio, logitMax: 3 + i * (1 + head), firstMass: 1 - end };
      });
    }).flat(),
  );
}

/** The report of a made-up run. */
export function sampleReport({ layers = 2, heads = 4, steps = 3000 } = {}): ReportData {
  const samples = words.map(([input, sounds], index): ReportSample => {
    const correct = index !== 2;
    const predicted = correct ? sounds : 'F OW T AH G R AA F';
    return {
      input,
      predicted,
      references: [sounds],
      correct,
      pictures: samplePictures(input, predicted, layers, heads),
    };
  });
  return {
    run: 'g2p-20261123-205600-heron',
    task: 'g2p',
    status: 'finished',
    started: '2026-11-23 20:56',
    configuration: [
      { name: 'preset', value: 'quick' },
      { name: 'backend', value: 'native, avx512' },
      { name: 'parameters', value: '1,204,224' },
      { name: 'layers x heads', value: `${layers} x ${heads}` },
      { name: 'width', value: '128' },
      { name: 'batch tokens', value: '2,048' },
      { name: 'seed', value: '1' },
      { name: 'steps', value: String(steps) },
    ],
    figures: [
      { name: 'training loss', value: 0.352, unit: 'nats' },
      { name: 'validation loss', value: 0.471, unit: 'nats' },
      { name: 'token accuracy', value: 91.7, unit: '%' },
      { name: 'phoneme error rate', value: 8.41, unit: '%' },
      { name: 'word error rate', value: 33.2, unit: '%' },
      { name: 'training speed', value: 18432, unit: 'tokens/s' },
      { name: 'latency p50', value: 1.42, unit: 'ms' },
      { name: 'latency p95', value: 2.1, unit: 'ms' },
      { name: 'latency p99', value: 3.7, unit: 'ms' },
    ],
    axes: { input: 'letters', output: 'sounds' },
    samples,
    metrics: sampleMetrics(steps),
    attention: sampleEntropy(steps, layers, heads),
    speed: {
      latencies: [
        { name: 'one input, warm', p50: 1.42, p95: 2.1, p99: 3.7 },
        { name: 'model just opened (20 times)', p50: 9.8, p95: 14.2, p99: 14.9 },
      ],
      throughput: [5, 9].flatMap((length) =>
        [1, 4, 16, 64].map((batch) => ({ batch, length, inputsPerSecond: (4000 * batch) / (batch + 8) / length })),
      ),
      note: 'Weights of step 3000 on native (avx512), 2 threads.',
    },
  };
}
