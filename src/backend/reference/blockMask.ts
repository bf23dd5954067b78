/**
 * A mask as a map of blocks, read by the attention kernels: one code a block, and the patterns of the partial ones.
 * Meaning of the codes: contract.ts. Used by attentionRow.ts.
 */

import { BackendError, ShapeError } from '../../core/errors.js';
import type { Strided } from './strided.js';

const [empty, full] = [-1, -2];

interface BlockOperands {
  readonly q: Strided; // [B, H, L, D]
  readonly k: Strided; // [B, G, S, D]
  readonly blocks?: Strided | undefined; // [B, H, X, Y]
  readonly patterns?: Strided | undefined; // [N, R, 64]
}

/** The map of a call, checked; undefined when there is none. */
export function blockMaskOf({ q, k, blocks, patterns }: BlockOperands): BlockMask | undefined {
  if (!blocks !== !patterns) throw new ShapeError('attention: expected blocks and patterns together, got one of them');
  return blocks && patterns && new BlockMask(blocks, patterns, q.shape[2] as number, k.shape[2] as number);
}

export class BlockMask {
  readonly #blocks: Strided;
  readonly #patterns: Strided;
  readonly #rows: number;
  readonly #keys: number;

  constructor(blocks: Strided, patterns: Strided, L: number, S: number) {
    const [, R, C] = patterns.shape as [number, number, number];
    [this.#blocks, this.#patterns, this.#rows, this.#keys] = [blocks, patterns, R, C];
    const [, , X, Y] = blocks.shape as [number, number, number, number];
    if (R === 0 || X < Math.ceil(L / R) || Y < Math.ceil(S / C))
      throw new ShapeError(
        `attention: expected blocks of ${R} x ${C} pairs for L = ${L} and S = ${S}, got [${X}, ${Y}]`,
      );
    this.#checkCodes();
  }

  #checkCodes(): void {
    const [B, H, X, Y] = this.#blocks.shape as [number, number, number, number];
    for (let b = 0; b < B; b++)
      for (let h = 0; h < H; h++)
        for (let x = 0; x < X; x++) for (let y = 0; y < Y; y++) this.#checkCode(this.#blocks.at(b, h, x, y));
  }

  #checkCode(code: number): void {
    const N = this.#patterns.shape[0] as number;
    if (code === empty || code === full || (code >= 0 && code < N)) return;
    throw new BackendError(`attention: expected block codes in [-2, ${N}), got ${code}`, { code });
  }

  allows(b: number, h: number, i: number, j: number): boolean {
    const [R, C] = [this.#rows, this.#keys];
    const code = this.#blocks.at(b, h, Math.floor(i / R), Math.floor(j / C));
    return code === full || (code !== empty && this.#patterns.at(code, i % R, j % C) !== 0);
  }
}
