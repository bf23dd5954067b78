/** What the script of a page reads, in the order of the figures in the page. Types only. */

import type { Scale } from './shared.js';

/** One large heat map of a page and all weights it can show. */
export interface PanelData {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** The weight that takes the last colour. */
  readonly maximum: number;
  /** The scale to begin with. */
  readonly scale: Scale;
  /** Index of the picture to begin with. */
  readonly choice: number;
  /** Weights row by row, NaN where masked, as encodeFloats writes three bytes each. */
  readonly pictures: readonly { readonly label: string; readonly weights: string }[];
}

/** One chart of a page; its values stand in its table, one row a position. */
export interface ChartData {
  /** Horizontal pixel positions of the union of all points, rising. */
  readonly positions: readonly number[];
}

/** Data by kind of figure. */
export interface PageData {
  readonly panels?: readonly PanelData[];
  readonly charts?: readonly ChartData[];
}
