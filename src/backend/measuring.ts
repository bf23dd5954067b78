/**
 * A backend that computes nothing and keeps no memory, only the count of it: a training step on it tells how much memory
 * the same step takes on a real one. Every value reads as 0.
 */

import type { Backend, DeviceBuffer, DType, HostArray } from './contract.js';

export interface MeasuringBackend extends Backend {
  /** Bytes of all buffers that are held now. */
  readonly heldBytes: number;
  /** Most bytes held at one time so far. */
  readonly peakBytes: number;
}

const bytesOf: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1 };

export function createMeasuringBackend(): MeasuringBackend {
  let [held, peak] = [0, 0];
  return {
    info: { backend: 'measuring', target: 'none', threads: 1 },
    get heldBytes() {
      return held;
    },
    get peakBytes() {
      return peak;
    },
    alloc: (dtype, length): DeviceBuffer => {
      held += length * bytesOf[dtype];
      peak = Math.max(peak, held);
      return { dtype, length };
    },
    free: ({ dtype, length }) => {
      held -= length * bytesOf[dtype];
    },
    read: ({ dtype }, _offset, length) => zerosOf(dtype, length),
    write: () => {},
    run: () => {},
  };
}

function zerosOf(dtype: DType, length: number): HostArray {
  if (dtype === 'f32') return new Float32Array(length);
  return dtype === 'i32' ? new Int32Array(length) : new Uint8Array(length);
}
