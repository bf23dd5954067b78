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

/** One head view of a page. */
export interface HeadViewData {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Where the second text begins, if there are two. */
  readonly split: number | null;
  /** Width of the space that lines cross and height of a token, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Weights as in PanelData. */
  readonly heads: readonly { readonly head: number; readonly weights: string }[];
}

/** One map of a long text; numbers as encodeFloats writes them, tiles in three bytes, the others in four. */
export interface TileData {
  readonly tokens: readonly string[];
  readonly bins: number;
  readonly tiles: string;
  /** D of q and k [L, D]. */
  readonly width: number;
  readonly scale: number;
  readonly causal: boolean;
  readonly q: string;
  readonly k: string;
  readonly lse: string;
}

/** Data by kind of figure. */
export interface PageData {
  readonly panels?: readonly PanelData[];
  readonly charts?: readonly ChartData[];
  readonly tileMaps?: readonly TileData[];
  readonly headViews?: readonly HeadViewData[];
}
