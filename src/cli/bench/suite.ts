/** Every case as one function to call, whatever kind it is. */

import type { Backend } from '../../backend/contract.js';
import { type AttentionFigures, benchAttention } from './attentionBench.js';
import type { BenchKind, benchCases } from './cases.js';
import { benchGemm, type GemmFigures } from './gemmBench.js';
import type { Machine } from './machine.js';
import type { TimingOptions } from './timing.js';
import { benchTrain, type TrainFigures } from './trainBench.js';

/** One object of `keyhole bench --json`. */
export type BenchFigures = AttentionFigures | GemmFigures | TrainFigures;

export type Benchmark = (backend: Backend, machine: Machine, timing: TimingOptions) => BenchFigures;

/** The cases of these kinds, ready to be run one after the other. */
export function benchmarks(kinds: readonly BenchKind[], cases: typeof benchCases): Benchmark[] {
  const all: Readonly<Record<BenchKind, readonly Benchmark[]>> = {
    attention: bound(benchAttention, cases.attention),
    gemm: bound(benchGemm, cases.gemm),
    train: bound(benchTrain, cases.train),
    decode: bound(benchAttention, cases.decode),
  };
  return kinds.flatMap((kind) => all[kind]);
}

type Bench<Case> = (backend: Backend, machine: Machine, it: Case, timing: TimingOptions) => BenchFigures;

function bound<Case>(bench: Bench<Case>, cases: readonly Case[]): Benchmark[] {
  return cases.map((it) => (backend, machine, timing) => bench(backend, machine, it, timing));
}
