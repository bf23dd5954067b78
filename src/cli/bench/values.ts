/** Numbers to benchmark on: normal, the same every time, and quick to make in millions. */

import { RandomStream } from '../../core/random.js';

/** Prime, so that rows of no usual width repeat. */
const period = 65537;

let drawn: Float32Array | undefined;

/** `count` normal numbers of period 65,537; another `seed` starts elsewhere. */
export function normalValues(count: number, seed: number): Float32Array {
  drawn ??= drawPeriod();
  const values = new Float32Array(count);
  for (let index = 0; index < count; index++) values[index] = drawn[(index + seed * 7919) % period] as number;
  return values;
}

function drawPeriod(): Float32Array {
  const random = new RandomStream(1);
  return Float32Array.from({ length: period }, () => random.normal());
}
