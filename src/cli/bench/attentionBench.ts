/** One case of attention, forward, backward or decode: checked, then timed. Next: attentionProblem.ts. */

import type { Backend } from '../../backend/contract.js';
import { tensor } from '../../tensor/create.js';
import { checkBackward, checkForward } from './attentionCheck.js';
import {
  type AttentionProblem,
  backwardOutputs,
  createProblem,
  forwardOutputs,
  problemOperations,
  runBackward,
  runForward,
} from './attentionProblem.js';
import type { AttentionCase } from './cases.js';
import { type Machine, ratioOf } from './machine.js';
import { positionWorks } from './positionWorks.js';
import type { Prepared } from './prepared.js';
import { ratioInTurns, type Samples, type Timing, timingOf } from './timing.js';
import { normalValues } from './values.js';

/** What a case of attention came to. Null where the machine's limit is unknown. */
export interface AttentionFigures extends AttentionCase, Machine, Timing {
  readonly kind: 'attention' | 'decode';
  readonly gflops: number;
  readonly peakRatio: number | null;
  /** Time with the record over time without: the median of the ratios of runs next to each other. */
  readonly overheadRatio?: number;
  /** Time with this mask, or these positions, over time with `against`, turn by turn. */
  readonly maskRatio?: number;
  /** Keys and values read, 10⁹ bytes a second; decoding is bound by it. */
  readonly gigabytesPerSecond?: number;
  readonly copyRatio?: number | null;
}

/** Throws StateError when a result is wrong. */
export function prepareAttention(backend: Backend, it: AttentionCase): Prepared<AttentionFigures> {
  const problem = createProblem(backend, it.shape, it.mask);
  const works = worksOf(problem, it);
  const operations = problemOperations(problem, it.pass);
  return {
    works: works as [() => void, ...(() => void)[]],
    figures: (machine, samples) => figuresOf(it, operations, machine, samples),
  };
}

function worksOf(problem: AttentionProblem, it: AttentionCase): (() => void)[] {
  if (it.mask === 'alibi' || it.mask === 't5' || it.mask === 'shaw') return positionWorks(it.mask, problem);
  return it.pass === 'backward' ? backwardWorks(problem, it) : forwardWorks(problem, it);
}

function figuresOf(
  it: AttentionCase,
  operations: number,
  machine: Machine,
  [own = [], without]: readonly Samples[],
): AttentionFigures {
  const timing = timingOf(own);
  const gflops = operations / timing.medianMs / 1e6;
  return {
    ...{ kind: it.pass === 'decode' ? 'decode' : 'attention', ...it, ...machine },
    ...{ gflops, peakRatio: ratioOf(gflops, machine.peakGflops), ...timing },
    ...(without && { [it.against ? 'maskRatio' : 'overheadRatio']: ratioInTurns(own, without) }),
    ...(it.pass === 'decode' && bandwidth(it, machine, timing)),
  };
}

/** With a record also the work without, for comparison. */
function forwardWorks(problem: AttentionProblem, it: AttentionCase): (() => void)[] {
  const outputs = forwardOutputs(problem, it.record);
  runForward(problem, outputs);
  checkForward(`${it.pass} ${it.mask}`, problem, outputs);
  const plain = { out: outputs.out, lse: outputs.lse };
  const works = it.record === 'none' ? [plain] : [outputs, plain];
  const compared = it.against && createProblem(outputs.out.backend, it.shape, it.against);
  const others = compared ? [() => runForward(compared, plain)] : [];
  return [...works.map((to) => () => runForward(problem, to)), ...others];
}

function backwardWorks(problem: AttentionProblem, { shape, against }: AttentionCase): (() => void)[] {
  const compared = against && createProblem(problem.inputs.q.backend, shape, against);
  return [problem, ...(compared ? [compared] : [])].map(backwardWork);
}

function backwardWork(problem: AttentionProblem): () => void {
  const { out, lse } = forwardOutputs(problem, 'none');
  runForward(problem, { out, lse });
  const dout = tensor(normalValues(out.size, 5), out.shape, { backend: out.backend });
  const [forward, gradients] = [{ out, lse, dout }, backwardOutputs(problem)];
  runBackward(problem, forward, gradients);
  checkBackward('backward', problem, forward, gradients);
  return () => runBackward(problem, forward, gradients);
}

function bandwidth({ shape: { B, G, S, D } }: AttentionCase, machine: Machine, { medianMs }: Timing) {
  const gigabytesPerSecond = (2 * 4 * B * G * S * D) / medianMs / 1e6;
  return { gigabytesPerSecond, copyRatio: ratioOf(gigabytesPerSecond, machine.copyGigabytesPerSecond) };
}
