/** Every case as one function to call, whatever kind it is. */

import { type AttentionFigures, prepareAttention } from './attentionBench.js';
import type { BenchKind, benchCases } from './cases.js';
import { type GemmFigures, prepareGemm } from './gemmBench.js';
import { type MemoryFigures, prepareMemory } from './memoryBench.js';
import { measure, type Prepare, type Speedup, type Subject } from './prepared.js';
import type { TimingOptions } from './timing.js';
import { prepareTrain, type TrainFigures } from './trainBench.js';

/** One object of `keyhole bench --json`. */
export type BenchFigures = (AttentionFigures | GemmFigures | MemoryFigures | TrainFigures) & Speedup;

export type Benchmark = (subjects: readonly Subject[], timing: TimingOptions) => BenchFigures[];

/** The cases of these kinds, ready to be run one after the other. */
export function benchmarks(kinds: readonly BenchKind[], cases: typeof benchCases): Benchmark[] {
  const all: Readonly<Record<BenchKind, readonly Benchmark[]>> = {
    attention: bound(prepareAttention, cases.attention),
    decode: bound(prepareAttention, cases.decode),
    gemm: bound(prepareGemm, cases.gemm),
    memory: bound(prepareMemory, cases.memory),
    train: bound(prepareTrain, cases.train),
  };
  return kinds.flatMap((kind) => all[kind]);
}

function bound<Case>(prepare: Prepare<Case, BenchFigures>, cases: readonly Case[]): Benchmark[] {
  return cases.map((it) => (subjects, timing) => measure(prepare, subjects, it, timing));
}
