/** Rotary positions as a mechanism of MultiHeadAttention, without parameters. Next: ../attention/rotary.ts. */

import { type RotaryOptions, rotate } from '../attention/rotary.js';
import { concat } from '../tensor/join.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import type { AttentionMechanism, QueriesAndKeys } from './attentionMechanism.js';

/**
 * Turns queries and keys by their positions, which go on where a cache ends (Su et al. 2021).
 *
 * @example
 * const layer = new MultiHeadAttention({ width, heads, mechanisms: [rotaryPositions({ base: 500000 })] }, random);
 */
export function rotaryPositions(options: Omit<RotaryOptions, 'offset' | 'positions'> = {}): AttentionMechanism {
  const turned = (x: Tensor, past: readonly number[]): Tensor => {
    const [first = 0] = past;
    if (past.every((length) => length === first)) return rotate(x, { ...options, offset: first });
    return concat(
      past.map((offset, b) => rotate(slice(x, 0, b, b + 1), { ...options, offset })),
      0,
    );
  };
  return {
    prepare: ({ q, k }: QueriesAndKeys, past) => ({ q: turned(q, past), k: turned(k, past) }),
  };
}
