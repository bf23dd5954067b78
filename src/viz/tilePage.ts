/**
 * Attention over a long text as a page: the pattern pooled to bins, as the kernel recorded it, and everything closer
 * recomputed in the page from q, k and lse of one head (client/tiles.ts), as `peek` does. No L×S weights anywhere.
 */

import { ShapeError, UsageError } from '../core/errors.js';
import type { TileData } from './client/data.js';
import { encodeFloats } from './encodeFloats.js';
import { element, shape, text } from './markup.js';
import { renderPage } from './page.js';
import { describedText } from './visibleText.js';

/** One head of one call over one text, as plain numbers. */
export interface LongAttention {
  readonly title: string;
  /** One a position of queries and of keys; self-attention. */
  readonly tokens: readonly string[];
  /** The pooled pattern [bins, bins], such as one head of `record.tiles`; means over a bin's queries of a key bin's mass. */
  readonly tiles: { readonly bins: number; readonly values: ArrayLike<number> };
  /** Of the same head: q and k [L, D], lse [L]. */
  readonly q: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly lse: ArrayLike<number>;
  /** The call's factor on q·k; default 1 / sqrt(D). */
  readonly scale?: number;
  readonly causal?: boolean;
}

/** Most tokens of a page: q and k of 64 numbers a token are then 22 MB of text. */
const mostTokens = 32_768;

function check({ tokens, tiles, q, k, lse }: LongAttention): number {
  const L = tokens.length;
  if (L > mostTokens) {
    throw new UsageError(`tilePage: expected at most ${mostTokens} tokens, got ${L}; select a part of the text`);
  }
  const D = q.length / L;
  if (L > 0 && Number.isInteger(D) && D > 0 && k.length === q.length && lse.length === L) {
    if (tiles.values.length === tiles.bins ** 2 && tiles.bins > 0) return D;
  }
  throw new ShapeError(
    `tilePage: expected q and k [L, D], lse [L] and tiles [bins, bins] for L = ${L} tokens and ${tiles.bins} bins, got ${q.length}, ${k.length}, ${lse.length} and ${tiles.values.length} numbers; give one head`,
  );
}

/** The page as one HTML file. Errors: ShapeError for sizes that do not fit; UsageError above 32,768 tokens. */
export function renderTilePage(attention: LongAttention): string {
  const D = check(attention);
  const { tokens, tiles, q, k, lse, scale = 1 / Math.sqrt(D), causal = false } = attention;
  const title = describedText(attention.title);
  const button = (key: string, name: string): string => element('button', { type: 'button', 'data-key': key }, name);
  const checked = shape('input', { type: 'checkbox', 'data-scale': 'logarithmic', checked: 'checked' });
  const box = element('label', {}, checked, ' logarithmic');
  const swatch = causal ? `${element('span', { class: 'hatched', 'aria-hidden': 'true' }, '')} masked` : '';
  const ends = ['low', 'bar', 'high'].map((name) => element('span', { class: name }, ''));
  const key = element('span', { class: 'key' }, 'weight ', ...ends, swatch);
  const note =
    'Seen whole, the map is the one that the kernel pooled. Closer, weights are recomputed here from q, k and lse of this head, in float64 from float32: pooled while a pixel covers several tokens, single weights below.';
  const figure = element(
    'section',
    { class: 'tile-map', 'aria-label': title },
    element('div', { class: 'tools' }, button('Enter', 'Zoom in'), button('Escape', 'Zoom out'), box, key),
    element(
      'div',
      {
        class: 'plot',
        tabindex: 0,
        role: 'group',
        'aria-label': `${title}; arrow keys move, Enter zooms in, Escape out`,
      },
      element('canvas', { width: 768, height: 768, role: 'img', 'aria-label': 'Map of attention weights' }),
      shape('div', { class: 'cross', 'aria-hidden': 'true' }).replace('/>', '></div>'),
    ),
    element('output', { 'aria-live': 'polite' }, 'Point at the map to read it; click to zoom in.'),
  );
  const main = [
    element('header', {}, element('h1', {}, text(title)), element('p', { class: 'muted' }, `${tokens.length} tokens`)),
    figure,
    element('p', { class: 'note' }, note),
  ].join('\n');
  const data: TileData = {
    tokens: tokens.map((token) => describedText(token, 24)),
    bins: tiles.bins,
    tiles: encodeFloats(tiles.values, 3),
    width: D,
    scale,
    causal,
    q: encodeFloats(q),
    k: encodeFloats(k),
    lse: encodeFloats(lse),
  };
  return renderPage(`${title} · Keyhole`, main, { tileMaps: [data] });
}
