/**
 * The graph that a trace grows: every value once, constants folded, in an order in which operands come first. Values are
 * named by their number. Next: expression.ts (what the formula holds of it), program.ts (what becomes of it).
 */

import { ShapeError } from '../../core/errors.js';
import { maxCaptured, type ScoreFunctionName, type ScoreOp, scoreFunctions } from '../../core/scoreOps.js';
import { formatShape, packedStrides } from '../../core/shape.js';
import type { Tensor } from '../../tensor/tensor.js';

export type PositionName = 'b' | 'h' | 'q' | 'k';

/** One value of the graph. */
export interface ScoreNode {
  readonly op: ScoreOp;
  /** Earlier nodes. Of a lookup: the place in the joined values of all captured tensors. */
  readonly operands: readonly number[];
  /** Of a constant. */
  readonly value: number;
  /** A whole number for every pair. */
  readonly whole: boolean;
  /** What a lookup reads: which captured tensor, at which indices. */
  readonly source?: { readonly tensor: number; readonly indices: readonly number[] };
}

const wholeIfOperandsAre = new Set<ScoreOp>([
  'add',
  'subtract',
  'multiply',
  'minimum',
  'maximum',
  'negate',
  'absolute',
]);
const alwaysWhole = new Set<ScoreOp>(['floor', 'less', 'lessEqual', 'equal']);

export class ScoreGraph {
  readonly nodes: ScoreNode[] = [];
  /** In the order of their first lookup. */
  readonly tensors: Tensor[] = [];
  readonly #numbers = new Map<string, number>();
  #capturedValues = 0;

  constructor() {
    this.#place({ op: 'score', operands: [], value: 0, whole: false });
  }

  node(number: number): ScoreNode {
    return this.nodes[number] as ScoreNode;
  }

  position(op: PositionName): number {
    return this.#place({ op, operands: [], value: 0, whole: true });
  }

  /** A number, rounded to float32. */
  constant(value: number): number {
    const rounded = Math.fround(value);
    return this.#place({ op: 'constant', operands: [], value: rounded, whole: Number.isInteger(rounded) });
  }

  apply(op: ScoreFunctionName, ...operands: readonly number[]): number {
    const nodes = operands.map((operand) => this.node(operand));
    if (nodes.every((node) => node.op === 'constant')) {
      const [a = 0, b = 0, c = 0] = nodes.map(({ value }) => value);
      return this.constant(scoreFunctions[op].value(a, b, c));
    }
    const simpler = this.#simplified(op, operands);
    if (simpler !== undefined) return simpler;
    const counted = op === 'select' ? nodes.slice(1) : nodes;
    const whole =
      alwaysWhole.has(op) || ((op === 'select' || wholeIfOperandsAre.has(op)) && counted.every((node) => node.whole));
    return this.#place({ op, operands, value: 0, whole });
  }

  /** Element `indices` of a tensor; each index is rounded down. */
  lookup(tensor: Tensor, indices: readonly number[]): number {
    if (indices.length !== tensor.shape.length)
      throw new ShapeError(
        `lookup: expected one index for each axis of ${formatShape(tensor.shape)}, got ${indices.length}`,
      );
    const { at, start } = this.#capture(tensor);
    const strides = packedStrides(tensor.shape);
    const whole = indices.map((index) => this.apply('floor', index));
    const place = whole.reduce(
      (sum, index, axis) =>
        this.apply('add', sum, this.apply('multiply', index, this.constant(strides[axis] as number))),
      this.constant(start),
    );
    const source = { tensor: at, indices: whole };
    return this.#place({ op: 'lookup', operands: [place], value: 0, whole: tensor.dtype !== 'f32', source });
  }

  /** The score and the nodes that `result` needs, operands before what uses them; the last one is `result`. */
  needed(result: number): readonly number[] {
    const wanted = new Set([0, result]);
    for (let number = result; number > 0; number--) {
      if (!wanted.has(number)) continue;
      for (const operand of this.node(number).operands) wanted.add(operand);
    }
    return [...wanted].sort((a, b) => a - b);
  }

  #capture(tensor: Tensor): { readonly at: number; readonly start: number } {
    const at = this.tensors.indexOf(tensor);
    if (at >= 0) return { at, start: this.tensors.slice(0, at).reduce((sum, { size }) => sum + size, 0) };
    const start = this.#capturedValues;
    this.#capturedValues += tensor.size;
    if (this.#capturedValues > maxCaptured)
      throw new ShapeError(
        `lookup: expected at most ${maxCaptured} captured values, got ${this.#capturedValues}; pass what is as large as the scores as bias`,
      );
    this.tensors.push(tensor);
    return { at: this.tensors.length - 1, start };
  }

  #simplified(op: ScoreFunctionName, [a = 0, b = 0, c = 0]: readonly number[]): number | undefined {
    const is = (number: number, value: number): boolean =>
      this.node(number).op === 'constant' && this.node(number).value === value;
    if (op === 'add' && is(a, 0)) return b;
    if ((op === 'add' || op === 'subtract') && is(b, 0)) return a;
    if (op === 'multiply' && is(a, 1)) return b;
    if ((op === 'multiply' || op === 'divide') && is(b, 1)) return a;
    if (op === 'floor' && this.node(a).whole) return a;
    if (op === 'negate' && this.node(a).op === 'negate') return this.node(a).operands[0];
    if (op !== 'select') return undefined;
    if (this.node(a).op === 'constant') return is(a, 0) ? c : b;
    return b === c ? b : undefined;
  }

  #place(node: ScoreNode): number {
    const key = `${node.op} ${node.operands.join(' ')} ${Object.is(node.value, -0) ? '-0' : node.value}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.nodes.length);
    return this.nodes.push(node) - 1;
  }
}
