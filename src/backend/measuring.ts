/**
 * A backend that computes nothing and keeps no memory, only the count of it: a training step on it tells how much memory
 * the same step takes on a real one. Every value reads as 0.
 */

import type { Backend, DeviceBuffer, DType, HostArray, View } from './contract.js';

export interface MeasuringBackend extends Backend {
  /** Bytes that are held now, as far as they were ever used: what was only set aside costs a machine nothing. */
  readonly heldBytes: number;
  /** Most bytes held at one time so far. */
  readonly peakBytes: number;
}

/** A buffer that knows how many of its elements were used. */
interface Counted extends DeviceBuffer {
  used: number;
}

const bytesOf: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1 };

export function createMeasuringBackend(): MeasuringBackend {
  let [held, peak] = [0, 0];
  const use = (buffer: DeviceBuffer, until: number): void => {
    const counted = buffer as Counted;
    if (until <= counted.used) return;
    held += (until - counted.used) * bytesOf[counted.dtype];
    peak = Math.max(peak, held);
    counted.used = until;
  };
  return {
    info: { backend: 'measuring', target: 'none', threads: 1 },
    get heldBytes() {
      return held;
    },
    get peakBytes() {
      return peak;
    },
    alloc: (dtype, length): Counted => ({ dtype, length, used: 0 }),
    free: (buffer) => {
      held -= (buffer as Counted).used * bytesOf[buffer.dtype];
    },
    read: ({ dtype }, _offset, length) => zerosOf(dtype, length),
    write: (buffer, offset, values) => use(buffer, offset + values.length),
    run: (_kernel, operands) => {
      for (const view of Object.values(operands) as (View | undefined)[]) if (view) use(view.buffer, endOf(view));
    },
  };
}

/** One more than the last element that a view shows. */
function endOf({ offset, shape, strides }: View): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((end, size, axis) => end + (size - 1) * (strides[axis] as number), offset + 1);
}

function zerosOf(dtype: DType, length: number): HostArray {
  if (dtype === 'f32') return new Float32Array(length);
  return dtype === 'i32' ? new Int32Array(length) : new Uint8Array(length);
}
