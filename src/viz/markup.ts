/**
 * The two functions through which every tag of `viz/` is written, so that escaping cannot be forgotten.
 *
 * Children are markup already; plain text becomes markup only through `text`.
 */

import { escapeMarkup } from './escape.js';

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A picture without its frame: SVG markup and the room it takes, in pixels, from the origin. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

/** A coordinate with at most two decimals: enough for a hundredth of a pixel, short in the file. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function attributeText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => {
      if (value === undefined) return '';
      return ` ${name}="${typeof value === 'number' ? short(value) : escapeMarkup(value)}"`;
    })
    .join('');
}

/** Plain text as markup. */
export const text = escapeMarkup;

/** `<name attributes>children</name>`; children are markup. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  return `<${name}${attributeText(attributes)}>${children.join('')}</${name}>`;
}

/** `<name attributes/>`, for SVG shapes. */
export function shape(name: string, attributes: Attributes): string {
  return `<${name}${attributeText(attributes)}/>`;
}

/** An SVG text at a point; `content` is plain text. */
export function label(content: string, attributes: Attributes): string {
  return element('text', attributes, text(content));
}

/** Moves markup by (x, y). */
export function moved(x: number, y: number, body: string): string {
  return element('g', { transform: `translate(${short(x)} ${short(y)})` }, body);
}
