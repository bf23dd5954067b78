/**
 * What the three attention kernels share: for one query row, which keys it may see and their scores.
 *
 * A row is handled as a list of allowed keys, so a forbidden key is never read and cannot influence anything, whatever
 * it holds. Scratch is O(S): there is no L×S buffer. Next: attentionForward.ts.
 */

import { ShapeError } from '../../core/errors.js';
import { checkRelative, relativeColumn } from './attentionRelative.js';
import { type BlockMask, blockMaskOf } from './blockMask.js';
import { ScoreProgram } from './scoreProgram.js';
import type { Strided } from './strided.js';
import { dot } from './vector.js';

export interface ScoreOperands {
  readonly q: Strided; // [B, H, L, D]
  readonly k: Strided; // [B, G, S, D]
  readonly mask?: Strided | undefined; // [B, H, L, S]
  readonly bias?: Strided | undefined; // [B, H, L, S]
  readonly lengths?: Strided | undefined; // [B]
  readonly blocks?: Strided | undefined; // [B, H, X, Y]
  readonly patterns?: Strided | undefined; // [N, R, 64]
  readonly relative?: Strided | undefined; // [B, H, L, U]
  readonly program?: Strided | undefined; // [I, 4]
  readonly captured?: Strided | undefined; // [K]
}

export interface ScoreScalars {
  readonly scale: number;
  readonly softcap: number;
  readonly left: number;
  readonly right: number;
  readonly offset: number;
  readonly reach: number;
}

/** The allowed keys of one query row at a time, and their scores. */
export class AttentionRow {
  /** The query's index i. */
  position = 0;
  /** Number of allowed keys. */
  count = 0;
  /** Allowed key n, ascending; entries from `count` on are stale. */
  readonly keys: Int32Array;
  /** Score of allowed key n: program(softcap(scale·q·k)) + bias + relative. */
  readonly scores: Float64Array;
  /** Of allowed key n: softcap(scale·q·k), and its derivative, 1 without softcap. */
  readonly #capped: Float64Array;
  readonly #slopes: Float64Array;
  /** The query itself, [D]. */
  readonly query: Float64Array;
  readonly #operands: ScoreOperands;
  readonly #scalars: ScoreScalars;
  readonly #key: Float64Array;
  readonly #blocks: BlockMask | undefined;
  readonly #program: ScoreProgram | undefined;
  readonly #pair = { b: 0, h: 0, q: 0, k: 0 };

  constructor(operands: ScoreOperands, scalars: ScoreScalars) {
    const [, , S, D] = operands.k.shape as [number, number, number, number];
    checkRelative(operands.relative, scalars);
    this.keys = new Int32Array(S);
    this.scores = new Float64Array(S);
    this.#capped = new Float64Array(S);
    this.#slopes = new Float64Array(S);
    this.query = new Float64Array(D);
    this.#key = new Float64Array(D);
    this.#operands = operands;
    this.#scalars = scalars;
    this.#blocks = blockMaskOf(operands);
    this.#program = operands.program && new ScoreProgram(operands.program, operands.captured);
  }

  /** Turns to query row i of head h, which reads key head g. */
  moveTo(b: number, h: number, g: number, i: number): void {
    const { q, k } = this.#operands;
    this.position = i;
    this.#listKeys(b, h, i);
    q.readRow(q.position(b, h, i), this.query);
    Object.assign(this.#pair, { b, h, q: i + this.#scalars.offset });
    const listed = this.count;
    this.count = 0;
    for (let n = 0; n < listed; n++) {
      const j = this.key(n);
      const product = this.#scalars.scale * dot(this.query, k.readRow(k.position(b, g, j), this.#key));
      this.#take(j, product, this.#added(b, h, i, j));
    }
  }

  /** Position j of allowed key n. */
  key(n: number): number {
    return this.keys[n] as number;
  }

  score(n: number): number {
    return this.scores[n] as number;
  }

  /** d loss / d (scale·q·k) of allowed key n, from d loss / d score; adds the gradients of what the program captured. */
  backpropagate(n: number, gradient: number, dcaptured: Float64Array | undefined): number {
    const slope = this.#slopes[n] as number;
    if (!this.#program) return gradient * slope;
    this.#modify(this.key(n), this.#capped[n] as number);
    return this.#program.backpropagate(gradient, dcaptured) * slope;
  }

  #listKeys(b: number, h: number, i: number): void {
    const { k, mask, lengths } = this.#operands;
    const { left, right, offset } = this.#scalars;
    const first = Math.max(0, i + offset - left);
    const end = Math.min(k.shape[2] as number, i + offset + right + 1, lengths?.at(b) ?? Infinity);
    this.count = 0;
    for (let j = first; j < end; j++) {
      const allowed = (mask?.at(b, h, i, j) ?? 1) !== 0 && this.#mayAdd(b, h, i, j);
      if (allowed && (this.#blocks?.allows(b, h, i, j) ?? true)) this.keys[this.count++] = j;
    }
  }

  /** -Infinity in what is added to the score forbids the pair. */
  #mayAdd(b: number, h: number, i: number, j: number): boolean {
    return (this.#operands.bias?.at(b, h, i, j) ?? 0) !== -Infinity && this.#relative(b, h, i, j) !== -Infinity;
  }

  #added(b: number, h: number, i: number, j: number): number {
    return (this.#operands.bias?.at(b, h, i, j) ?? 0) + this.#relative(b, h, i, j);
  }

  #relative(b: number, h: number, i: number, j: number): number {
    const { relative } = this.#operands;
    return relative?.at(b, h, i, relativeColumn(i, j, this.#scalars, relative.shape[3] as number)) ?? 0;
  }

  /** Adds key j to the list, unless the program forbids it. */
  #take(j: number, product: number, added: number): void {
    const { softcap } = this.#scalars;
    const bent = softcap > 0 ? Math.tanh(product / softcap) : 0;
    const capped = softcap > 0 ? softcap * bent : product;
    const modified = this.#modify(j, capped);
    if (this.#program && modified === -Infinity) return;
    this.keys[this.count] = j;
    this.scores[this.count] = modified + added;
    this.#capped[this.count] = capped;
    this.#slopes[this.count++] = 1 - bent * bent;
  }

  #modify(j: number, score: number): number {
    this.#pair.k = j;
    return this.#program?.evaluate(score, this.#pair) ?? score;
  }
}

/** Calls `visit(b, h, g, i)` for every query row, the heads of one key head together. */
export function forEachQuery(
  { q, k }: ScoreOperands,
  visit: (b: number, h: number, g: number, i: number) => void,
): void {
  const [B, H, L] = q.shape as [number, number, number, number];
  const share = headsPerKeyHead(q, k);
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++) for (let i = 0; i < L; i++) visit(b, h, Math.floor(h / share), i);
}

/** H/G: how many query heads read one key head. */
export function headsPerKeyHead(q: Strided, k: Strided): number {
  const [H, G] = [q.shape[1] as number, k.shape[1] as number];
  if (H === 0) return 1;
  if (H % G !== 0)
    throw new ShapeError(`attention: expected heads H to be a multiple of key heads G, got ${H} and ${G}`);
  return H / G;
}
