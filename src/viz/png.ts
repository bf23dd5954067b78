/**
 * SVG to PNG by resvg, an optional package: everything else in `viz/` works without it.
 */

import { StateError } from '../core/errors.js';
import { type AttentionFigure, renderAttentionSvg } from './inspect.js';

export interface PngOptions {
  /** Default light: a PNG cannot follow its reader. */
  readonly theme?: 'light' | 'dark';
  /** Pixels a unit; default 2, sharp on dense screens. */
  readonly scale?: number;
}

type Resvg = typeof import('@resvg/resvg-js').Resvg;

async function loadResvg(): Promise<Resvg> {
  try {
    return (await import('@resvg/resvg-js')).Resvg;
  } catch (cause) {
    const hint = 'run `npm i @resvg/resvg-js`, or write SVG instead';
    throw new StateError(`png: expected the optional package @resvg/resvg-js, got none; ${hint}`, { cause });
  }
}

/**
 * Rasterises an SVG file of a fixed theme (resvg knows no custom properties) with the system's fonts.
 *
 * Errors: StateError when @resvg/resvg-js is not installed.
 */
export async function svgToPng(svg: string, scale = 2): Promise<Uint8Array> {
  const ResvgClass = await loadResvg();
  const font = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', monospaceFamily: 'DejaVu Sans Mono' };
  return new ResvgClass(svg, { fitTo: { mode: 'zoom', value: scale }, font }).render().asPng();
}

/** The picture of renderAttentionSvg as PNG. Errors: StateError without resvg; those of renderAttentionSvg. */
export async function renderAttentionPng(figure: AttentionFigure, options: PngOptions = {}): Promise<Uint8Array> {
  const { theme = 'light', scale = 2 } = options;
  return svgToPng(renderAttentionSvg(figure, { theme }), scale);
}
