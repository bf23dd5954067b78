/**
 * `scoreMod`: a formula on scores, written in TypeScript against expressions, traced once into a program that the fused
 * kernels run. docs/score-functions.md explains it. Next: expression.ts (what a formula may do), program.ts.
 */

import { StateError } from '../../core/errors.js';
import { Tensor } from '../../tensor/tensor.js';
import { type Condition, conditionNode, Expression, operandNode, type ScoreOperand, Trace } from './expression.js';
import { ScoreGraph } from './graph.js';
import { ScoreProgram } from './program.js';

/** What a formula may use beside the score. */
export interface ScorePosition {
  /** Sequence of the batch, from 0. */
  readonly b: Expression;
  /** Query head, from 0. */
  readonly h: Expression;
  /** Position of the query on the key axis: its row plus the call's offset, which a cache sets to the past length. */
  readonly q: Expression;
  /** Position of the key, from 0. */
  readonly k: Expression;
  /** Element of a tensor, an index for each axis, rounded down. A call in which one could lie outside is refused. */
  readonly lookup: (tensor: Tensor, ...indices: readonly ScoreOperand[]) => Expression;
  /** a where the condition holds, else b. */
  readonly where: (condition: Condition, a: ScoreOperand, b: ScoreOperand) => Expression;
  /** A number as an expression. */
  readonly constant: (value: number) => Expression;
}

/** Returns what becomes of a score. */
export type ScoreFormula = (score: Expression, position: ScorePosition) => ScoreOperand;

/**
 * Traces a formula on scores for the option `scoreMod` of the attention call.
 *
 * `s_ij = formula(softcap(scale·q_i·k_j), { b, h, q, k }) + bias_ij`; a result of -Infinity forbids the pair as a mask
 * does. Gradients reach the scores and every f32 tensor that is looked up. The formula is called twice, here and nowhere
 * else; print the program to see what became of it.
 *
 * Errors: StateError for JavaScript operators on expressions, for `if` and `?:` on conditions, for side effects and for
 * expressions of another call; ShapeError, when attention is called, for an index that could leave its tensor.
 * Source: the interface follows FlexAttention (Dong et al. 2024, §3).
 *
 * @example
 * const slopes = tensor([0.5, 0.25], [2]);
 * const program = scoreMod((score, { h, q, k, lookup }) => score.add(lookup(slopes, h).multiply(k.subtract(q))));
 * const { out } = attention(q, k, v, { scoreMod: program });
 */
export function scoreMod(formula: ScoreFormula): ScoreProgram {
  const [first, second] = [traceOf(formula), traceOf(formula)];
  const sameTensors = first.tensors.every((held, at) => held === second.tensors[at]);
  if (String(first) === String(second) && sameTensors) return first;
  throw new StateError(
    sameTensors
      ? `scoreMod: expected a function without side effects, got two programs from two calls:\n${first}\nand\n${second}`
      : 'scoreMod: expected tensors made outside the function, got other ones in a second call; make them once, before',
  );
}

function traceOf(formula: ScoreFormula): ScoreProgram {
  const graph = new ScoreGraph();
  const trace = new Trace(graph);
  try {
    const result = formula(new Expression(trace, 0), positionOf(trace));
    const node = resultNode(trace, result);
    const [forgotten] = trace.unused;
    if (forgotten)
      throw new StateError(
        `scoreMod: expected every condition to be used, got ${forgotten.toString()} unused; if, ?:, && and ! cannot be traced: write where(condition, a, b), and, or, not`,
      );
    return new ScoreProgram(graph, node);
  } finally {
    trace.open = false;
  }
}

function resultNode(trace: Trace, result: unknown): number {
  if (result === undefined)
    throw new StateError('scoreMod: expected the function to return an expression, got undefined; is return missing?');
  if (result instanceof Promise)
    throw new StateError('scoreMod: expected the function to return an expression, got a promise; drop async');
  return operandNode(trace, result);
}

function positionOf(trace: Trace): ScorePosition {
  const { graph } = trace;
  const make = (node: number): Expression => new Expression(trace, node);
  return {
    ...{ b: make(graph.position('b')), h: make(graph.position('h')) },
    ...{ q: make(graph.position('q')), k: make(graph.position('k')) },
    lookup: (tensor, ...indices) => {
      if (!(tensor instanceof Tensor)) throw new StateError(`lookup: expected a tensor, got ${typeof tensor}`);
      return make(
        graph.lookup(
          tensor,
          indices.map((index) => operandNode(trace, index)),
        ),
      );
    },
    where: (condition, a, b) => {
      const nodes = [conditionNode(trace, condition), operandNode(trace, a), operandNode(trace, b)];
      return make(graph.apply('select', ...nodes));
    },
    constant: (value) => make(operandNode(trace, value)),
  };
}
