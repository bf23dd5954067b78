/**
 * TensorBoard's own reader opens what the sink writes. Needs Python with the package `tensorboard`
 * (`pip install tensorboard`); `PYTHON` names another interpreter. An independent parser that needs neither stands in
 * src/monitor/tensorboard/tensorboardSink.test.ts.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { appendBytes } from '../../src/host/node/files.js';
import { histogramOf } from '../../src/metrics/histogram.js';
import { KpiLogger } from '../../src/monitor/kpiLogger.js';
import { tensorboardSink } from '../../src/monitor/tensorboard/tensorboardSink.js';
import { heatMapPixels } from '../../src/viz/pixels.js';

const python = process.env.PYTHON ?? 'python3';
const found = spawnSync(python, ['-c', 'import tensorboard']).status === 0;
const reason = found ? '' : ` (skipped: ${python} has no package tensorboard)`;

const reader = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0, 'histograms': 0, 'tensors': 0})
events.Reload()
image = events.Images('weights')[0]
histogram = events.Histograms('entropy')[0].histogram_value
print(json.dumps({
    'scalars': [[s.step, s.value] for s in events.Scalars('train/loss')],
    'wallTime': events.Scalars('train/loss')[0].wall_time,
    'about': events.SummaryMetadata('train/loss').summary_description,
    'image': [image.step, image.width, image.height, image.encoded_image_string[:4].hex()],
    'histogram': [histogram.min, histogram.max, histogram.num, histogram.sum, histogram.sum_squares,
                  list(histogram.bucket_limit), list(histogram.bucket)],
    'text': events.Tensors('sample')[0].tensor_proto.string_val[0].decode(),
    'textPlugin': events.SummaryMetadata('sample').plugin_data.plugin_name,
}))`;

test.skipIf(!found)(`TensorBoard reads every kind, and forgets what a resumed run wrote again${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-tensorboard-'));
  const log = (name: string, resumedAt?: number): KpiLogger => {
    const options = { now: () => 1_795_559_072_250, ...(resumedAt === undefined ? {} : { resumedAt }) };
    return new KpiLogger({ sinks: [tensorboardSink(appendBytes(join(folder, name)), options)] });
  };
  try {
    const first = log('events.out.tfevents.1795559072.keyhole');
    for (const [step, loss] of [1.5, 1.25, 9].entries()) first.write(10 * step, 'train', { loss });
    const weights = [[0.25, Number.NaN]];
    first.image(10, 'weights', heatMapPixels([{ weights }, { weights }], deflateSync));
    first.histogram(10, 'entropy', histogramOf([0, 0.5, 1], 2));
    first.text(10, 'sample', '    naïve → 1');
    first.close();
    const second = log('events.out.tfevents.1795559080.keyhole', 11);
    second.write(20, 'train', { loss: 1 });
    second.close();
    expect(JSON.parse(execFileSync(python, ['-c', reader, folder], { encoding: 'utf8', stdio: 'pipe' }))).toEqual({
      scalars: [
        [0, 1.5],
        [10, 1.25],
        [20, 1],
      ],
      wallTime: 1_795_559_072.25,
      about: 'Loss, in nats; lower is better',
      image: [10, 40, 8, '89504e47'],
      histogram: [0, 1, 3, 1.5, 1.25, [0.5, 1], [2, 1]],
      text: '    naïve → 1',
      textPlugin: 'text',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
