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
  readonly pictures: readonly { readonly label: string; readonly weights: string; readonly head?: HeadPlace }[];
}

/** One chart of a page; its values stand in its table, one row a position. */
export interface ChartData {
  /** Horizontal pixel positions of the union of all points, rising. */
  readonly positions: readonly number[];
}

/** Which head a picture is of; what the model view tells the head views. */
export interface HeadPlace {
  readonly path: string;
  readonly head: number;
}

/** One head view of a page. */
export interface HeadViewData {
  /** Module path, and those of all head views of which one is seen. */
  readonly path: string;
  readonly paths: readonly string[];
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

/** One health board of a page. */
export interface HealthBoardData {
  readonly steps: readonly number[];
  /** Names of layers. */
  readonly rows: readonly string[];
  readonly heads: readonly number[];
  /** Cells in a row: the heads, and one for the layer as a whole where something was found of it. */
  readonly columns: number;
  /** Values [steps, rows, heads] as encodeFloats writes three bytes each. */
  readonly statistics: readonly {
    readonly name: string;
    readonly low: number;
    readonly high: number;
    readonly values: string;
  }[];
  /** Indices of step, row, column and statistic (-1 for none). */
  readonly findings: readonly {
    readonly step: number;
    readonly row: number;
    readonly column: number;
    readonly statistic: number;
    readonly text: string;
  }[];
}

/** Data by kind of figure. */
export interface PageData {
  readonly panels?: readonly PanelData[];
  readonly charts?: readonly ChartData[];
  readonly tileMaps?: readonly TileData[];
  readonly boards?: readonly HealthBoardData[];
  readonly headViews?: readonly HeadViewData[];
}
