/** What an evaluation logs beside its figures: how attention spreads, and samples with their answers and heat maps. */

import { deflateSync } from 'node:zlib';
import type { CapturedAttention } from '../core/records.js';
import { entropyHistograms } from '../monitor/entropyHistograms.js';
import type { KpiLogger } from '../monitor/kpiLogger.js';
import type { Answer } from '../tasks/task.js';
import { groupBy } from '../viz/pictureGroup.js';
import { heatMapPixels } from '../viz/pixels.js';

/** One histogram of normalised entropy a module. */
export function logEntropies(kpis: KpiLogger, step: number, captured: readonly CapturedAttention[]): void {
  for (const [path, histogram] of entropyHistograms(captured)) {
    kpis.histogram(step, `attention/entropyRatio/${path}`, histogram);
  }
}

/** Every answer as text, and of every module one picture an answer, with its heads side by side. */
export function logSamples(kpis: KpiLogger, step: number, answers: readonly Answer[]): void {
  for (const [index, answer] of answers.entries()) {
    kpis.text(step, `sample/${index}/answer`, answerText(answer));
    for (const heads of groupBy(answer.pictures, ({ path }) => path)) {
      kpis.image(step, `sample/${index}/weights/${heads[0]?.path}`, heatMapPixels(heads, deflateSync));
    }
  }
}

/** Indented by four: Markdown shows it as it is. */
function answerText({ input, output, references }: Answer): string {
  const expected = references.length === 0 ? [] : [`expected  ${references.join(' or ')}`];
  return [`input     ${input}`, `output    ${output}`, ...expected]
    .flatMap((line) => line.split('\n'))
    .map((line) => `    ${line}`)
    .join('\n');
}
