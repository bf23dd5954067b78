/**
 * The part of the record that needs the final lse: attention received, the pooled map, the largest weights, keys that get
 * next to nothing. Formulas: contract.ts.
 */

import type { AttentionRow } from './attentionRow.js';
import type { ReferenceOperands } from './kernel.js';

type Operands = ReferenceOperands<'attention_forward_f32'>;

const nextToNothing = 1e-6;

/** Takes one row after the other and writes the outputs that are asked for; sums over rows with `finish`. */
export class WeightSums {
  readonly #operands: Operands;
  readonly #received: Float64Array;
  readonly #tiles: Float64Array;
  readonly #rows: Float64Array;
  readonly #bins: number;

  constructor(operands: Operands) {
    const [B, H] = operands.q.shape as [number, number];
    this.#operands = operands;
    this.#bins = operands.tiles?.shape[2] ?? 0;
    this.#received = new Float64Array(operands.received ? B * H * (operands.k.shape[2] as number) : 0);
    this.#tiles = new Float64Array(B * H * this.#bins ** 2);
    this.#rows = new Float64Array(B * H * this.#bins);
  }

  addRow(row: AttentionRow, lse: number, b: number, h: number, i: number): void {
    const { q, k, received, zeroKeys } = this.#operands;
    const [, H, L] = q.shape as [number, number, number];
    const [S, head, bins] = [k.shape[2] as number, b * H + h, this.#bins];
    const weights = Array.from({ length: row.count }, (_, n) => Math.exp(row.score(n) - lse));
    const bin = head * bins + Math.floor((i * bins) / L);
    for (const [n, p] of weights.entries()) {
      const j = row.key(n);
      if (received) (this.#received[head * S + j] as number) += p;
      if (bins > 0) (this.#tiles[bin * bins + Math.floor((j * bins) / S)] as number) += p;
    }
    if (bins > 0 && row.count > 0) (this.#rows[bin] as number)++;
    zeroKeys?.store(zeroKeys.position(b, h, i), weights.filter((p) => p < nextToNothing).length);
    this.#rank(row, weights, b, h, i);
  }

  #rank(row: AttentionRow, weights: readonly number[], b: number, h: number, i: number): void {
    const { topWeights, topKeys } = this.#operands;
    if (!topWeights || !topKeys) return;
    const order = [...weights.keys()].filter((n) => (weights[n] as number) > 0);
    order.sort((m, n) => (weights[n] as number) - (weights[m] as number) || m - n);
    for (let t = 0; t < (topWeights.shape[3] as number); t++) {
      const n = order[t];
      topWeights.store(topWeights.position(b, h, i, t), n === undefined ? 0 : (weights[n] as number));
      topKeys.store(topKeys.position(b, h, i, t), n === undefined ? -1 : row.key(n));
    }
  }

  finish(): void {
    const { q, received, tiles } = this.#operands;
    const [B, H] = q.shape as [number, number];
    const bins = this.#bins;
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        const head = b * H + h;
        const S = received?.shape[2] ?? 0;
        received?.writeRow(received.position(b, h), this.#received.subarray(head * S, (head + 1) * S));
        for (let bin = 0; bin < bins; bin++) {
          const start = (head * bins + bin) * bins;
          const rows = Math.max(1, this.#rows[head * bins + bin] as number);
          tiles?.writeRow(
            tiles.position(b, h, bin),
            this.#tiles.subarray(start, start + bins).map((sum) => sum / rows),
          );
        }
      }
    }
  }
}
