/**
 * Which values a node can take for the sizes of a call, by interval arithmetic, and the check that no lookup can leave
 * its tensor. An interval may be wider than what really occurs: then clamp says what is meant.
 */

import { ShapeError } from '../../core/errors.js';
import type { ScoreFunctionName } from '../../core/scoreOps.js';
import { formatShape } from '../../core/shape.js';
import type { PositionName, ScoreGraph, ScoreNode } from './graph.js';
import { formatNode } from './print.js';

/** Both ends are included. */
type Interval = readonly [number, number];

/** Values that b, h, q and k take in a call. */
export type PositionRanges = Readonly<Record<PositionName, Interval>>;

const anything: Interval = [-Infinity, Infinity];
const hull = (...values: readonly number[]): Interval =>
  values.some(Number.isNaN) ? anything : [Math.min(...values), Math.max(...values)];
const rising =
  (f: (x: number) => number) =>
  ([low, high]: Interval): Interval =>
    hull(f(low), f(high));
const products = ([a, b]: Interval, [c, d]: Interval): Interval => hull(a * c, a * d, b * c, b * d);

const rules: Readonly<Record<ScoreFunctionName, (a: Interval, b: Interval, c: Interval) => Interval>> = {
  add: (a, b) => hull(a[0] + b[0], a[1] + b[1]),
  subtract: (a, b) => hull(a[0] - b[1], a[1] - b[0]),
  multiply: products,
  divide: (a, b) => (b[0] <= 0 && b[1] >= 0 ? anything : products(a, [1 / b[1], 1 / b[0]])),
  minimum: (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1])],
  maximum: (a, b) => [Math.max(a[0], b[0]), Math.max(a[1], b[1])],
  negate: ([low, high]) => [-high, -low],
  absolute: ([low, high]) => [Math.max(0, low, -high), Math.max(-low, high)],
  exp: rising(Math.exp),
  log: rising(Math.log),
  tanh: rising(Math.tanh),
  sqrt: rising(Math.sqrt),
  floor: rising(Math.floor),
  less: () => [0, 1],
  lessEqual: () => [0, 1],
  equal: () => [0, 1],
  select: (_, b, c) => hull(...b, ...c),
};

/** Throws ShapeError unless every index of every lookup that `nodes` name stays inside its tensor. */
export function checkLookups(graph: ScoreGraph, nodes: readonly number[], positions: PositionRanges): void {
  const known = new Map<number, Interval>();
  const rangeOf = (number: number): Interval => {
    const range = known.get(number) ?? rangeOfNode(graph.node(number), positions, rangeOf);
    known.set(number, range);
    return range;
  };
  for (const number of nodes) {
    const { source } = graph.node(number);
    source?.indices.forEach((index, axis) => {
      const [low, high] = rangeOf(index);
      const shape = graph.tensors[source.tensor]?.shape ?? [];
      if (low >= 0 && high <= (shape[axis] as number) - 1) return;
      throw new ShapeError(
        `scoreMod: expected index ${axis} of tensor${source.tensor} ${formatShape(shape)} in [0, ${shape[axis]}), got ${formatNode(graph, index)} in [${low}, ${high}]; .clamp(0, ${(shape[axis] as number) - 1}) holds it inside`,
        { axis, low, high },
      );
    });
  }
}

function rangeOfNode(
  { op, operands, value }: ScoreNode,
  positions: PositionRanges,
  rangeOf: (node: number) => Interval,
): Interval {
  if (op === 'score' || op === 'lookup') return anything;
  if (op === 'constant') return Number.isNaN(value) ? anything : [value, value];
  if (op === 'b' || op === 'h' || op === 'q' || op === 'k') return positions[op];
  const [a = anything, b = anything, c = anything] = operands.map(rangeOf);
  return rules[op](a, b, c);
}
