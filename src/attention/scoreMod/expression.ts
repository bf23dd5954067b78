/**
 * What a score formula computes with: expressions and conditions that write themselves into a graph. JavaScript's own
 * operators cannot be followed, so they throw and say what to write instead. Next: graph.ts.
 */

import { StateError } from '../../core/errors.js';
import type { ScoreFunctionName } from '../../core/scoreOps.js';
import { Tensor } from '../../tensor/tensor.js';
import type { ScoreGraph } from './graph.js';
import { formatNode } from './print.js';

/** A number stands for itself. */
export type ScoreOperand = Expression | number;

/** One run of a formula. */
export class Trace {
  readonly graph: ScoreGraph;
  /** Conditions that nothing has used yet. */
  readonly unused = new Set<Condition>();
  open = true;

  constructor(graph: ScoreGraph) {
    this.graph = graph;
  }
}

const operators: Readonly<Record<string, string>> = {
  default: 'JavaScript operator + or ==',
  number: 'JavaScript operator (-, *, /, %, **, <, >, …) or function of Math',
  string: 'use as a string or property key',
};

/** A value of the graph. */
abstract class Traced {
  readonly #trace: Trace;
  readonly #node: number;

  constructor(trace: Trace, node: number) {
    this.#trace = trace;
    this.#node = node;
  }

  protected get trace(): Trace {
    return this.#trace;
  }

  /** The node of a traced value in `trace`. */
  static nodeOf(value: Traced, trace: Trace): number {
    if (value.#trace !== trace || !trace.open)
      throw new StateError(
        `scoreMod: expected expressions of this call of the function, got ${value.toString()} of another; keep none outside the function`,
      );
    return value.#node;
  }

  /** In words, as in a printed program. */
  toString(): string {
    return formatNode(this.#trace.graph, this.#node);
  }

  [Symbol.toPrimitive](hint: string): never {
    const table = hint === 'string' ? ' a.toString() prints, lookup(tensor, index) indexes;' : '';
    throw new StateError(
      `scoreMod: expected methods of expressions, got a ${operators[hint]} on ${this.toString()};${table} write a.add(b), a.subtract(b), a.multiply(b), a.divide(b), a.modulo(b), a.less(b), a.equal(b), a.exp()`,
    );
  }
}

/** Node of an operand; a number becomes a constant. */
export function operandNode(trace: Trace, operand: unknown): number {
  if (operand instanceof Expression) return Traced.nodeOf(operand, trace);
  if (typeof operand === 'number' && trace.open) return trace.graph.constant(operand);
  const [got, hint] =
    operand instanceof Condition
      ? [`the condition ${operand.toString()}`, 'where(condition, a, b) makes it a number']
      : operand instanceof Tensor
        ? ['a tensor', 'lookup(tensor, ...indices) reads one of its elements']
        : [typeof operand, 'constant(x) makes a number an expression'];
  throw new StateError(`scoreMod: expected an expression or a number, got ${got}; ${hint}`);
}

/** Node of a condition, which counts as used from now on. */
export function conditionNode(trace: Trace, condition: unknown): number {
  if (!(condition instanceof Condition)) {
    const got = condition instanceof Expression ? `the expression ${condition.toString()}` : String(condition);
    throw new StateError(`scoreMod: expected a condition such as k.lessEqual(q), got ${got}`);
  }
  trace.unused.delete(condition);
  return Traced.nodeOf(condition, trace);
}

/** A number for every pair of query and key: the score, a position, or something computed from them. */
export class Expression extends Traced {
  add(other: ScoreOperand): Expression {
    return this.#with('add', other);
  }
  subtract(other: ScoreOperand): Expression {
    return this.#with('subtract', other);
  }
  multiply(other: ScoreOperand): Expression {
    return this.#with('multiply', other);
  }
  divide(other: ScoreOperand): Expression {
    return this.#with('divide', other);
  }
  /** `a - floor(a / b)·b`: the sign is that of b. */
  modulo(other: ScoreOperand): Expression {
    return this.subtract(this.divide(other).floor().multiply(other));
  }
  minimum(other: ScoreOperand): Expression {
    return this.#with('minimum', other);
  }
  maximum(other: ScoreOperand): Expression {
    return this.#with('maximum', other);
  }
  /** Held inside [low, high]. */
  clamp(low: ScoreOperand, high: ScoreOperand): Expression {
    return this.maximum(low).minimum(high);
  }
  negate(): Expression {
    return this.#with('negate');
  }
  absolute(): Expression {
    return this.#with('absolute');
  }
  exp(): Expression {
    return this.#with('exp');
  }
  /** Natural logarithm. */
  log(): Expression {
    return this.#with('log');
  }
  tanh(): Expression {
    return this.#with('tanh');
  }
  sqrt(): Expression {
    return this.#with('sqrt');
  }
  floor(): Expression {
    return this.#with('floor');
  }
  less(other: ScoreOperand): Condition {
    return this.#compare('less', this, other);
  }
  lessEqual(other: ScoreOperand): Condition {
    return this.#compare('lessEqual', this, other);
  }
  greater(other: ScoreOperand): Condition {
    return this.#compare('less', other, this);
  }
  greaterEqual(other: ScoreOperand): Condition {
    return this.#compare('lessEqual', other, this);
  }
  equal(other: ScoreOperand): Condition {
    return this.#compare('equal', this, other);
  }
  notEqual(other: ScoreOperand): Condition {
    return this.equal(other).not();
  }

  #with(op: ScoreFunctionName, ...others: readonly ScoreOperand[]): Expression {
    const nodes = [this, ...others].map((operand) => operandNode(this.trace, operand));
    return new Expression(this.trace, this.trace.graph.apply(op, ...nodes));
  }

  #compare(op: ScoreFunctionName, a: ScoreOperand, b: ScoreOperand): Condition {
    const nodes = [a, b].map((operand) => operandNode(this.trace, operand));
    return new Condition(this.trace, this.trace.graph.apply(op, ...nodes));
  }
}

/** True or false for every pair; `where(condition, a, b)` chooses by it. */
export class Condition extends Traced {
  constructor(trace: Trace, node: number) {
    super(trace, node);
    trace.unused.add(this);
  }

  and(other: Condition): Condition {
    return this.#with('minimum', other);
  }
  or(other: Condition): Condition {
    return this.#with('maximum', other);
  }
  not(): Condition {
    const { graph } = this.trace;
    return new Condition(this.trace, graph.apply('equal', conditionNode(this.trace, this), graph.constant(0)));
  }

  #with(op: 'minimum' | 'maximum', other: Condition): Condition {
    const nodes = [this, other].map((condition) => conditionNode(this.trace, condition));
    return new Condition(this.trace, this.trace.graph.apply(op, ...nodes));
  }
}
