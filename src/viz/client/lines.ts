/** The lines of the head view, the same on both sides. Each function stands by itself, so that pages can hold it. */

/** One line from a query to a key. */
export interface HeadLine {
  readonly row: number;
  readonly column: number;
  readonly d: string;
  readonly opacity: number;
}

export interface LineRoom {
  /** Weights below are left out; at most 4000 lines, the strongest. */
  readonly threshold: number;
  /** Width of the space between the columns of tokens, and height of a token, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** What the two-sentence filter offers, in this order. */
export const partNames = ['all', 'first → first', 'first → second', 'second → first', 'second → second'] as const;

/** Lines of one head's weights [rows · columns], faint to strong. */
export function headLines(weights: ArrayLike<number>, columns: number, room: LineRoom): HeadLine[] {
  const { threshold, width, height } = room;
  const chosen = Array.from({ length: weights.length }, (_, index) => index)
    .filter((index) => (weights[index] ?? 0) >= Math.max(threshold, 1e-3))
    .sort((a, b) => (weights[a] ?? 0) - (weights[b] ?? 0))
    .slice(-4000);
  return chosen.map((index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const [from, to] = [(row + 0.5) * height, (column + 0.5) * height];
    const d = `M0 ${from}C${width / 2} ${from} ${width / 2} ${to} ${width} ${to}`;
    return { row, column, d, opacity: Math.round(100 * Math.min(1, weights[index] ?? 0)) / 100 };
  });
}
