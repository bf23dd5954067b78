/**
 * A score program (contract.ts) for one pair of query and key at a time: its value, and its gradients by walking the
 * instructions backwards. What each instruction computes: ../../core/scoreOps.ts.
 *
 * What depends on positions and constants alone is rounded to float32 after every instruction, as on every backend, so
 * that comparisons and indices fall the same way everywhere.
 */

import { BackendError } from '../../core/errors.js';
import {
  constantOf,
  maxCaptured,
  maxInstructions,
  operandCount,
  type ScoreFunctionName,
  type ScoreOp,
  scoreFunctions,
  scoreOps,
} from '../../core/scoreOps.js';
import type { Strided } from './strided.js';

/** A pair of query and key as a program sees it; q and k are positions on the key axis. */
export interface Pair {
  readonly b: number;
  readonly h: number;
  readonly q: number;
  readonly k: number;
}

interface Instruction {
  readonly op: ScoreOp;
  readonly operands: readonly [number, number, number];
  /** Depends on neither the score nor a captured value. */
  readonly fixed: boolean;
}

export class ScoreProgram {
  readonly #instructions: readonly Instruction[];
  readonly #captured: Strided | undefined;
  readonly #values: Float64Array;
  readonly #gradients: Float64Array;

  /** Throws BackendError unless `program` [I, 4] can be run on what was captured [K]. */
  constructor(program: Strided, captured: Strided | undefined) {
    this.#instructions = readInstructions(program, captured?.shape[0] ?? 0);
    this.#captured = captured;
    this.#values = new Float64Array(this.#instructions.length);
    this.#gradients = new Float64Array(this.#instructions.length);
  }

  /** What becomes of a score. */
  evaluate(score: number, pair: Pair): number {
    this.#instructions.forEach((instruction, n) => {
      const value = this.#value(instruction, score, pair);
      this.#values[n] = instruction.fixed ? Math.fround(value) : value;
    });
    return this.#values[this.#values.length - 1] as number;
  }

  /**
   * d loss / d score of the pair that was evaluated last, from d loss / d result; adds those of captured values to
   * `dcaptured`. A gradient of 0 stays 0, whatever it is multiplied by.
   */
  backpropagate(gradient: number, dcaptured: Float32Array | Float64Array | undefined): number {
    const gradients = this.#gradients.fill(0);
    gradients[gradients.length - 1] = gradient;
    for (let n = gradients.length - 1; n > 0; n--) {
      const [mine, { op, operands }] = [gradients[n] as number, this.#instructions[n] as Instruction];
      if (mine === 0) continue;
      if (op === 'lookup' && dcaptured) (dcaptured[this.#index(operands[0])] as number) += mine;
      if (!isFunction(op)) continue;
      const [a, b, c] = operands.map((operand) => this.#values[operand] as number) as [number, number, number];
      scoreFunctions[op].slopes.forEach((slope, operand) => {
        (gradients[operands[operand] as number] as number) += mine * slope(a, b, c, this.#values[n] as number);
      });
    }
    return gradients[0] as number;
  }

  #value({ op, operands: [a, b, c] }: Instruction, score: number, pair: Pair): number {
    const values = this.#values;
    if (op === 'score') return score;
    if (op === 'constant') return constantOf(a);
    if (op === 'lookup') return this.#captured?.at(this.#index(a)) as number;
    if (!isFunction(op)) return pair[op] + a;
    return scoreFunctions[op].value(values[a] as number, values[b] as number, values[c] as number);
  }

  /** The place that a lookup reads: rounded down, and never outside. */
  #index(operand: number): number {
    const index = this.#values[operand] as number;
    return index > 0 ? Math.floor(Math.min(index, (this.#captured?.shape[0] as number) - 1)) : 0;
  }
}

function isFunction(op: ScoreOp): op is ScoreFunctionName {
  return op in scoreFunctions;
}

function readInstructions(program: Strided, captured: number): readonly Instruction[] {
  const count = program.shape[0] as number;
  refuseUnless(count >= 1 && count <= maxInstructions, `1 to ${maxInstructions} instructions`, count);
  refuseUnless(captured <= maxCaptured, `at most ${maxCaptured} captured values`, captured);
  const instructions: Instruction[] = [];
  for (let n = 0; n < count; n++) {
    const [code, a, b, c] = [0, 1, 2, 3].map((part) => program.at(n, part)) as [number, number, number, number];
    const op = scoreOps[code];
    if (op === undefined) throw badProgram('known instructions', code);
    refuseUnless((op === 'score') === (n === 0), 'the score as first instruction and nowhere else', op);
    refuseUnless(op !== 'lookup' || captured > 0, 'captured values to look up', 'none');
    const used = [a, b, c].slice(0, operandCount(op));
    refuseUnless(
      used.every((operand) => operand >= 0 && operand < n),
      'operands among earlier instructions',
      used.join(', '),
    );
    const fixed = op !== 'score' && op !== 'lookup' && used.every((operand) => instructions[operand]?.fixed);
    instructions.push({ op, operands: [a, b, c], fixed });
  }
  return instructions;
}

function refuseUnless(condition: boolean, expected: string, got: unknown): void {
  if (!condition) throw badProgram(expected, got);
}

function badProgram(expected: string, got: unknown): BackendError {
  return new BackendError(`attention: expected a score program of ${expected}, got ${String(got)}`);
}
