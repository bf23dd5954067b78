/**
 * The colour bar beside a heat map: what a colour means, and what hatching means.
 */

import { scaleLinear } from 'd3-scale';
import { rampLevels } from './colour.js';
import { type Drawing, label, shape } from './markup.js';

const barWidth = 10;
const steps = rampLevels / 2;

/** A vertical bar from 0 to `maximum` of at least 90 pixels, and a swatch for masked cells if `masked`. */
export function legend(maximum: number, wantedHeight: number, masked: boolean): Drawing {
  const height = Math.max(90, Math.min(220, wantedHeight));
  const y = scaleLinear([0, maximum], [height, 0]);
  const bar = Array.from({ length: steps }, (_, step) =>
    shape('rect', {
      class: `w${Math.round((step * (rampLevels - 1)) / (steps - 1))}`,
      x: 0,
      y: height - ((step + 1) * height) / steps,
      width: barWidth,
      height: height / steps + 0.4,
    }),
  );
  const ticks = y
    .ticks(4)
    .map((tick) => label(y.tickFormat(4)(tick), { class: 'axis', x: barWidth + 6, y: y(tick) + 4 }));
  const title = label('weight', { class: 'axis', x: 0, y: -10 });
  const frame = shape('rect', { class: 'frame', x: 0, y: 0, width: barWidth, height });
  const swatch = masked ? maskedSwatch(height + 18) : '';
  return { width: 62, height: height + (masked ? 36 : 4), body: [title, ...bar, frame, ...ticks, swatch].join('') };
}

function maskedSwatch(y: number): string {
  const square = { x: 0, y, width: barWidth, height: barWidth };
  return (
    shape('rect', { class: 'x', ...square }) +
    shape('rect', { class: 'frame', ...square }) +
    label('masked', { class: 'axis', x: barWidth + 6, y: y + 9 })
  );
}
