/**
 * A traced score formula: what it computes, printable, and its form as operands of the attention kernels. The
 * instructions are those of ../../core/scoreOps.ts. Next: ../../backend/contract.ts for how kernels read them.
 */

import { ShapeError } from '../../core/errors.js';
import { bitsOf, maxInstructions, scoreOps } from '../../core/scoreOps.js';
import { tensor } from '../../tensor/create.js';
import { concat } from '../../tensor/join.js';
import type { Tensor } from '../../tensor/tensor.js';
import { reshape } from '../../tensor/views.js';
import type { ScoreGraph } from './graph.js';
import { formatProgram } from './print.js';
import { checkLookups } from './ranges.js';

/** Where a slice of a call starts in the whole, for `peek`. */
export interface PairOrigin {
  readonly h: number;
  readonly k: number;
}

/** Sizes of the whole call that positions depend on. */
export interface PairSizes {
  readonly B: number;
  readonly H: number;
  readonly L: number;
  readonly S: number;
}

/** Operands of every attention kernel. */
export interface ScoreOperands {
  readonly program?: Tensor | undefined;
  readonly captured?: Tensor | undefined;
}

/** The option `scoreMod` of the attention call; made by `scoreMod`. */
export class ScoreProgram {
  readonly #graph: ScoreGraph;
  readonly #result: number;
  readonly #nodes: readonly number[];

  constructor(graph: ScoreGraph, result: number) {
    this.#graph = graph;
    this.#result = result;
    this.#nodes = graph.needed(result);
    if (this.#nodes.length > maxInstructions)
      throw new ShapeError(`scoreMod: expected at most ${maxInstructions} instructions, got ${this.#nodes.length}`);
  }

  /** Tensors that are looked up; gradients reach those of type f32. */
  get tensors(): readonly Tensor[] {
    return this.#graph.tensors;
  }

  /** Number of instructions. */
  get length(): number {
    return this.#nodes.length;
  }

  /** One line for every instruction. */
  toString(): string {
    return formatProgram(this.#graph, this.#result);
  }

  /** Throws ShapeError when a lookup could leave its tensor in a call of these sizes. */
  check({ B, H, L, S }: PairSizes, offset: number): void {
    if (B * H * L * S === 0) return;
    checkLookups(this.#graph, this.#nodes, {
      ...{ b: [0, B - 1], h: [0, H - 1], k: [0, S - 1] },
      q: [offset, offset + L - 1],
    });
  }

  /** Instructions [I, 4] and captured values [K], the latter differentiable. */
  operands({ backend }: Tensor, origin: PairOrigin = { h: 0, k: 0 }): ScoreOperands {
    const words = this.#nodes.flatMap((node) => this.#encode(node, origin));
    const parts = this.tensors.map(flat);
    const [only] = parts;
    return {
      program: tensor(words, [this.length, 4], { dtype: 'i32', backend }),
      captured: parts.length > 1 ? concat(parts, 0) : only,
    };
  }

  #encode(number: number, origin: PairOrigin): readonly number[] {
    const { op, operands, value } = this.#graph.node(number);
    const code = scoreOps.indexOf(op);
    if (op === 'constant') return [code, bitsOf(value), 0, 0];
    if (op === 'h') return [code, origin.h, 0, 0];
    if (op === 'q' || op === 'k') return [code, origin.k, 0, 0];
    const [a = 0, b = 0, c = 0] = operands.map((operand) => this.#nodes.indexOf(operand));
    return [code, a, b, c];
  }
}

/** The operands of a call with or without a program. Throws ShapeError when a lookup could leave its tensor. */
export function scoreOperands(
  program: ScoreProgram | undefined,
  sizes: PairSizes,
  offset: number,
  like: Tensor,
  origin?: PairOrigin,
): ScoreOperands {
  program?.check(sizes, offset);
  return program?.operands(like, origin) ?? {};
}

/** The values of a tensor in a row, as f32. */
function flat(x: Tensor): Tensor {
  if (x.dtype === 'f32') return reshape(x, [x.size]);
  return tensor(Float32Array.from(x.toArray()), [x.size], { backend: x.backend });
}
