/**
 * The colour bar beside a heat map: what a colour means, and what hatching means.
 */

import { scaleLinear, scaleLog } from 'd3-scale';
import { colourClass, logarithmicDecades, type Scale } from './client/shared.js';
import { type Drawing, element, label, shape } from './markup.js';

const barWidth = 10;
const steps = 17;

/** Room that every bar takes, whatever its ticks say. */
const width = 66;

/**
 * A vertical bar of at least 90 pixels for weights up to `maximum`, and a swatch for masked cells if `masked`. With several
 * scales, whose colours are the same, a page shows the ticks of one (pageStyle.ts).
 */
export function legend(maximum: number, wantedHeight: number, masked: boolean, scales: readonly Scale[]): Drawing {
  const height = Math.max(90, Math.min(220, wantedHeight));
  const [first = 'linear'] = scales;
  const bar = Array.from({ length: steps }, (_, step) =>
    shape('rect', {
      class: colourClass(weightAt(step / (steps - 1), maximum, first), maximum, first),
      y: height - ((step + 1) * height) / steps,
      width: barWidth,
      height: height / steps + 0.4,
    }),
  );
  const title = label(first === 'difference' ? 'difference' : 'weight', { class: 'axis', x: 0, y: -10 });
  const frame = shape('rect', { class: 'frame', x: 0, y: 0, width: barWidth, height });
  const swatch = masked ? maskedSwatch(height + 18) : '';
  const marks = scales.map((scale) => element('g', { class: `scale ${scale}` }, ...ticks(maximum, height, scale)));
  return { width, height: height + (masked ? 36 : 4), body: [title, ...bar, frame, ...marks, swatch].join('') };
}

/** The weight at a share of the bar's height. */
function weightAt(share: number, maximum: number, scale: Scale): number {
  if (scale === 'difference') return maximum * (2 * share - 1);
  return scale === 'linear' ? maximum * share : maximum * 10 ** (logarithmicDecades * (share - 1));
}

function ticks(maximum: number, height: number, scale: Scale): string[] {
  const low = weightAt(0, maximum, scale);
  const at = (scale === 'logarithmic' ? scaleLog : scaleLinear)([low, maximum], [height, 0]);
  const values = scale === 'logarithmic' ? decadesBetween(low, maximum) : at.ticks(4);
  const sign = (value: number): string => (scale === 'difference' && value > 0 ? '+' : '');
  return values.map((value) => {
    const content = `${sign(value)}${Number(value.toPrecision(2))}`.replace('-', '−');
    return label(content, { class: 'axis', x: barWidth + 6, y: at(value) + 4 });
  });
}

/** Powers of ten from `low` to `high`. */
function decadesBetween(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => Number(`1e${first + step}`));
}

function maskedSwatch(y: number): string {
  const square = { x: 0, y, width: barWidth, height: barWidth };
  return (
    shape('rect', { class: 'x', ...square }) +
    shape('rect', { class: 'frame', ...square }) +
    label('masked', { class: 'axis', x: barWidth + 6, y: y + 9 })
  );
}
