/**
 * What the instructions of a score program compute for one pair of query and key, and their derivatives. Used by the
 * reference kernels, which are the definition, and to fold constants. Next: ../backend/reference/scoreProgram.ts.
 */

import { scoreOps } from './scoreOps.generated.js';

export { scoreOps };

export type ScoreOp = (typeof scoreOps)[number];

/** Instructions without operands, and the lookup, whose operand is an index. */
export type ScoreSource = 'score' | 'constant' | 'b' | 'h' | 'q' | 'k' | 'lookup';

export type ScoreFunctionName = Exclude<ScoreOp, ScoreSource>;

type OfOperands = (a: number, b: number, c: number) => number;
/** d value / d operand, from the operands and the value. */
type Slope = (a: number, b: number, c: number, value: number) => number;

export interface ScoreFunction {
  readonly value: OfOperands;
  /** One for each operand. */
  readonly slopes: readonly Slope[];
}

const zero: Slope = () => 0;
const one: Slope = () => 1;
const compare = (value: OfOperands): ScoreFunction => ({ value, slopes: [zero, zero] });
const unary = (value: OfOperands, slope: Slope): ScoreFunction => ({ value, slopes: [slope] });
const binary = (value: OfOperands, a: Slope, b: Slope): ScoreFunction => ({ value, slopes: [a, b] });

/** Comparisons give 1 or 0. Of equals, `minimum` and `maximum` take b; NaN compares as false. */
export const scoreFunctions: Readonly<Record<ScoreFunctionName, ScoreFunction>> = {
  add: binary((a, b) => a + b, one, one),
  subtract: binary(
    (a, b) => a - b,
    one,
    () => -1,
  ),
  multiply: binary(
    (a, b) => a * b,
    (_, b) => b,
    (a) => a,
  ),
  divide: binary(
    (a, b) => a / b,
    (_, b) => 1 / b,
    (_, b, _c, value) => -value / b,
  ),
  minimum: binary(
    (a, b) => (a < b ? a : b),
    (a, b) => (a < b ? 1 : 0),
    (a, b) => (a < b ? 0 : 1),
  ),
  maximum: binary(
    (a, b) => (a > b ? a : b),
    (a, b) => (a > b ? 1 : 0),
    (a, b) => (a > b ? 0 : 1),
  ),
  negate: unary(
    (a) => -a,
    () => -1,
  ),
  absolute: unary(Math.abs, (a) => (a > 0 ? 1 : a < 0 ? -1 : 0)),
  exp: unary(Math.exp, (_, _b, _c, value) => value),
  log: unary(Math.log, (a) => 1 / a),
  tanh: unary(Math.tanh, (_, _b, _c, value) => 1 - value * value),
  sqrt: unary(Math.sqrt, (_, _b, _c, value) => 0.5 / value),
  floor: unary(Math.floor, zero),
  less: compare((a, b) => Number(a < b)),
  lessEqual: compare((a, b) => Number(a <= b)),
  equal: compare((a, b) => Number(a === b)),
  select: {
    value: (condition, a, b) => (condition !== 0 ? a : b),
    slopes: [zero, (condition) => Number(condition !== 0), (condition) => Number(condition === 0)],
  },
};

/** How many of a, b and c name earlier instructions. */
export function operandCount(op: ScoreOp): number {
  if (op === 'lookup') return 1;
  return op in scoreFunctions ? scoreFunctions[op as ScoreFunctionName].slopes.length : 0;
}

/** Longest program. */
export const maxInstructions = 256;
/** Most values to look up: larger indices are no longer exact in float32. */
export const maxCaptured = 2 ** 24;

const shared = new DataView(new ArrayBuffer(4));

/** The bits of a constant, as an instruction holds them. */
export function bitsOf(value: number): number {
  shared.setFloat32(0, value);
  return shared.getInt32(0);
}

/** The constant that an instruction holds. */
export function constantOf(held: number): number {
  shared.setInt32(0, held);
  return shared.getFloat32(0);
}
