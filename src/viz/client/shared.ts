/**
 * What both sides share: how a value becomes a colour and a text, how arrow keys move, and small helpers of the DOM.
 *
 * The functions of this folder are written into pages as text (script.ts). There, those of this file are the members of
 * one object, `keyhole`, and each may use only the others of its own file.
 */

/** Number of colours of a sequential and of a diverging ramp (colour.ts), and decades that the logarithmic scale spans. */
export const rampLevels = 64;
export const divergingLevels = 63;
export const logarithmicDecades = 4;

/** How values become colours: `difference` is linear from -maximum to maximum on the diverging ramp. */
export type Scale = 'linear' | 'logarithmic' | 'difference';

/** Index of the colour of a weight: 0 to levels - 1. */
export function levelOf(weight: number, maximum: number, levels: number): number {
  return Math.max(0, Math.min(levels - 1, Math.round((weight / maximum) * (levels - 1))));
}

/** Where a value lies on its scale, as a weight of maximum 1. */
export function positionOf(weight: number, maximum: number, scale: Scale): number {
  if (scale === 'difference') return (weight / maximum + 1) / 2;
  if (scale === 'linear') return weight / maximum;
  return weight > 0 ? 1 + Math.log10(weight / maximum) / logarithmicDecades : 0;
}

/** Class of a cell: `w` with a level of the sequential ramp, `v` with one of the diverging, `x` for masked. */
export function colourClass(weight: number, maximum: number, scale: Scale): string {
  if (Number.isNaN(weight)) return 'x';
  const position = positionOf(weight, maximum, scale);
  return scale === 'difference' ? `v${levelOf(position, 1, divergingLevels)}` : `w${levelOf(position, 1, rampLevels)}`;
}

/** A weight in words: four decimals, small ones in powers of ten, `masked` for NaN; differences with their sign. */
export function weightText(weight: number, scale: Scale = 'linear'): string {
  if (Number.isNaN(weight)) return 'masked';
  const size = Math.abs(weight);
  const digits = size === 0 || size >= 0.001 ? size.toFixed(4) : size.toExponential(2);
  const sign = weight < 0 ? '−' : scale === 'difference' && weight > 0 ? '+' : '';
  return `${sign}${digits}`;
}

/** One sentence about one cell. */
export function cellText(row: string, column: string, weight: number, scale: Scale = 'linear'): string {
  return `${row} attends to ${column}: ${weightText(weight, scale)}`;
}

/** Class of a cell of the health board; ` over` where ink would not be read on its colour. */
export function boardClass(value: number, low: number, high: number): string {
  const position = (value - low) / (high - low);
  return `${colourClass(position, 1, 'linear')}${position > 0.5 ? ' over' : ''}`;
}

/** A value of the health board: whole numbers as they are, others to three digits. */
export function boardValue(value: number): string {
  if (Number.isNaN(value)) return 'none';
  const whole = Number.isInteger(value) || Math.abs(value) >= 1000;
  return (whole ? value.toFixed(0) : value.toPrecision(3)).replace('-', '\u2212');
}

/** Numbers from base64 of the first `bytes` bytes of each float32. */
export function decodeFloats(base64: string, bytes: 3 | 4): Float32Array {
  const binary = atob(base64);
  const values = new Float32Array(binary.length / bytes);
  const view = new DataView(new ArrayBuffer(4));
  for (let at = 0; at < values.length; at++) {
    for (let byte = 0; byte < bytes; byte++) view.setUint8(byte, binary.charCodeAt(bytes * at + byte));
    values[at] = view.getFloat32(0);
  }
  return values;
}

/**
 * Where an arrow key, Home or End leads from `index` in rows of `width` out of `count`, the last row
 * perhaps shorter; undefined for other keys.
 */
export function nextIndex(key: string, index: number, width: number, count: number): number | undefined {
  const column = index % width;
  const moves: Record<string, number> = {
    ArrowLeft: column > 0 ? index - 1 : index,
    ArrowRight: column < width - 1 ? index + 1 : index,
    ArrowUp: index - width,
    ArrowDown: index + width,
    Home: index - column,
    End: index - column + width - 1,
  };
  const next = moves[key];
  if (next === undefined) return undefined;
  const inLastRow = index - column + width >= count;
  if (next >= count) return inLastRow ? index : count - 1;
  return next >= 0 ? next : index;
}

/** All elements that match, as an array. */
export function every(root: ParentNode, selector: string): Element[] {
  return Array.from(root.querySelectorAll(selector));
}

/** Gives the one tab stop of a set to `chosen`. */
export function moveTabStop(all: readonly Element[], chosen: Element | undefined): void {
  for (const element of all) element.setAttribute('tabindex', element === chosen ? '0' : '-1');
}

/** Writes a sentence where people and screen readers find it. */
export function say(figure: ParentNode, sentence: string): void {
  const output = figure.querySelector('output');
  if (output) output.textContent = sentence;
}

/** Arrow keys through a set with one tab stop; `choose` also hears Enter and space. */
export function moveByKeys(all: readonly Element[], width: number, choose?: (index: number) => void): void {
  all.forEach((item, index) => {
    item.addEventListener('keydown', (event) => {
      const key = (event as KeyboardEvent).key;
      const pressed = choose !== undefined && (key === 'Enter' || key === ' ');
      const next = pressed ? index : nextIndex(key, index, width, all.length);
      if (next === undefined) return;
      event.preventDefault();
      moveTabStop(all, all[next]);
      choose?.(next);
      (all[next] as SVGElement | undefined)?.focus();
    });
  });
}

export const shared = {
  levelOf,
  positionOf,
  colourClass,
  weightText,
  cellText,
  boardClass,
  boardValue,
  decodeFloats,
  nextIndex,
  every,
  moveTabStop,
  say,
  moveByKeys,
} as const;

/** The object `keyhole` of a page. */
export type ClientTools = typeof shared;
