/**
 * What a recorded attention call leaves behind: tensors while the computation runs, plain numbers once `read`.
 */

import { StateError } from '../core/errors.js';
import { type AttentionRecord, type StatisticName, statisticNames } from '../core/records.js';
import { heldTensors, type TensorHolder } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape } from '../tensor/views.js';
import type { AttentionSizes } from './operands.js';
import type { RecordedTensors } from './recordOperands.js';

/** The weights of chosen rows [B, H, rows, S]. */
export interface RowWeights {
  readonly rows: readonly number[];
  readonly weights: Tensor;
}

/** Statistics that a loss may depend on: attention has their derivatives. Other statistics refuse in backward. */
export const differentiableStatistics: ReadonlySet<StatisticName> = new Set<StatisticName>([
  'logitMean',
  'entropyNats',
  'squareSum',
  'meanDistance',
  'windowMass',
  'futureMass',
  'setMass',
  'firstMass',
  'selfMass',
  'previousMass',
  'nextMass',
]);

/** The record of one call. Nothing is copied out until `read` is called. */
export class Recording implements TensorHolder {
  readonly #sizes: AttentionSizes;
  readonly #lse: Tensor;
  readonly #recorded: RecordedTensors;
  readonly #rows: RowWeights | undefined;

  constructor(sizes: AttentionSizes, lse: Tensor, recorded: RecordedTensors, rows?: RowWeights) {
    this.#sizes = sizes;
    this.#lse = lse;
    this.#recorded = recorded;
    this.#rows = rows;
  }

  /** What must survive when a scope returns this record. */
  [heldTensors](): readonly Tensor[] {
    const { statistics, ...kept } = this.#recorded;
    const tensors = Object.values(kept).filter((output) => output !== undefined);
    return [this.#lse, ...statistics, ...tensors, ...(this.#rows ? [this.#rows.weights] : [])];
  }

  /**
   * One statistic of every row [B, H, L], still on the backend. Those of `differentiableStatistics` carry gradients to q,
   * k and bias, through the same fused kernel in O(L) memory.
   *
   * Errors: StateError for a name that is no statistic; in `backward`, StateError for a statistic without a derivative.
   */
  tensor(name: StatisticName): Tensor {
    const tensor = this.#recorded.statistics[statisticNames.indexOf(name)];
    if (tensor === undefined)
      throw new StateError(`Recording.tensor: expected one of ${statisticNames.join(', ')}, got ${name}`);
    return tensor; // [B, H, L]
  }

  /** Everything as plain data. Copies O(B·H·(L + S)) numbers, and O(B·H·rows·S) for chosen rows. */
  read(): AttentionRecord {
    const { B, H, L, S } = this.#sizes;
    const statistics = Object.fromEntries(statisticNames.map((name) => [name, floats(this.tensor(name))]));
    const { received, tiles, topWeights, topKeys, zeroKeys } = this.#recorded;
    const warning = deadRows(statistics.keys as Float32Array, this.#sizes);
    return {
      batch: B,
      heads: H,
      queries: L,
      keys: S,
      statistics: statistics as Record<StatisticName, Float32Array>,
      lse: floats(this.#lse),
      ...(received && { received: floats(received) }),
      ...(tiles && { tiles: { bins: tiles.shape[2] as number, values: floats(tiles) } }),
      ...(topWeights && topKeys && { top: readTop(topWeights, topKeys) }),
      ...(zeroKeys && { zeroKeys: floats(zeroKeys) }),
      ...(warning !== undefined && { warnings: [warning] }),
      ...(this.#rows && { weights: { rows: this.#rows.rows, values: floats(this.#rows.weights) } }),
    };
  }
}

/** Rows that the mask leaves without a key: they give zeros, which is seldom meant. */
function deadRows(keys: Float32Array, { H, L }: AttentionSizes): string | undefined {
  const count = keys.filter((found) => found === 0).length;
  if (count === 0) return undefined;
  const first = keys.indexOf(0);
  const [b, h, i] = [Math.floor(first / (H * L)), Math.floor(first / L) % H, first % L];
  return `attention: ${count} of ${keys.length} query rows may attend to no key and give zeros, the first is (b, h, i) = (${b}, ${h}, ${i}); is the mask contradictory?`;
}

function readTop(weights: Tensor, keys: Tensor): NonNullable<AttentionRecord['top']> {
  const flat = reshape(keys, [keys.size]).toArray();
  return { count: weights.shape[3] as number, weights: floats(weights), keys: Int32Array.from(flat) };
}

function floats(values: Tensor): Float32Array {
  return Float32Array.from(reshape(values, [values.size]).toArray());
}
