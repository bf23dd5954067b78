/**
 * What the machine could do at most, measured now: the roof that a benchmark holds kernels against. Each backend measures
 * with its own instructions, in native/machineLimits.ts and wasm/machineLimits.ts; this file is the type.
 */

export interface MachineLimits {
  /** Multiplications and additions in registers, 10⁹ a second. */
  readonly peakGflops: number;
  /** Reading and writing of arrays larger than any cache, 10⁹ bytes a second, both counted. */
  readonly copyGigabytesPerSecond: number;
}
