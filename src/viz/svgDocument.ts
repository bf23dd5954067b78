/**
 * Puts a drawing into an `<svg>` of its own: title, description, styles and the hatching of masked cells.
 *
 * Pages that hold many drawings use `svgFragment`, and give the styles and the hatching once (page.ts).
 */

import { type Attributes, type Drawing, element, shape, text } from './markup.js';
import { stylesheet, type Theme } from './theme.js';

/** The pattern that marks masked cells; class `x` refers to it. */
export const hatchDefinition = element(
  'defs',
  {},
  element(
    'pattern',
    { id: 'keyhole-hatch', width: 5, height: 5, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    shape('line', { class: 'hatch', x1: 0, y1: 0, x2: 0, y2: 5 }),
  ),
);

export interface DocumentOptions {
  /** Short name of the picture, read first by screen readers. */
  readonly title: string;
  /** What there is to see, in a sentence or two. */
  readonly description: string;
  /** Default `auto`. */
  readonly theme?: Theme;
}

function viewBox({ width, height }: Drawing): Attributes {
  return {
    viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
    width: Math.ceil(width),
    height: Math.ceil(height),
  };
}

/** A complete SVG file: namespace, paper, styles; `role="img"` with title and description. */
export function svgDocument(drawing: Drawing, { title, description, theme = 'auto' }: DocumentOptions): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      ...viewBox(drawing),
      role: 'img',
      'aria-labelledby': 'keyhole-title keyhole-description',
    },
    element('title', { id: 'keyhole-title' }, text(title)),
    element('desc', { id: 'keyhole-description' }, text(description)),
    element('style', {}, stylesheet(theme)),
    hatchDefinition,
    shape('rect', { class: 'paper', width: '100%', height: '100%' }),
    drawing.body,
  );
}

/** The drawing inside a page that already has styles and hatching. */
export function svgFragment(drawing: Drawing, attributes: Attributes): string {
  return element('svg', { ...viewBox(drawing), ...attributes }, drawing.body);
}
