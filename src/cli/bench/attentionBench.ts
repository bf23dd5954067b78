/** One case of attention, forward, backward or decode: checked, then timed. Next: attentionProblem.ts. */

import type { Backend } from '../../backend/contract.js';
import { tensor } from '../../tensor/create.js';
import { scope } from '../../tensor/scope.js';
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
import { type Timing, type TimingOptions, timeInTurns } from './timing.js';
import { normalValues } from './values.js';

/** What a case of attention came to. Null where the machine's limit is unknown. */
export interface AttentionFigures extends AttentionCase, Machine, Timing {
  readonly kind: 'attention' | 'decode';
  readonly gflops: number;
  readonly peakRatio: number | null;
  /** Time with the record over time without, both measured in turns. */
  readonly overheadRatio?: number;
  /** Keys and values read, 10⁹ bytes a second; decoding is bound by it. */
  readonly gigabytesPerSecond?: number;
  readonly copyRatio?: number | null;
}

/** Throws StateError when a result is wrong. */
export function benchAttention(
  backend: Backend,
  machine: Machine,
  it: AttentionCase,
  options: TimingOptions,
): AttentionFigures {
  return scope(() => {
    const problem = createProblem(backend, it.shape, it.mask);
    const [timing, without] =
      it.pass === 'backward' ? timeBackward(problem, options) : timeForward(problem, it, options);
    const gflops = problemOperations(problem, it.pass) / timing.medianMs / 1e6;
    return {
      ...{ kind: it.pass === 'decode' ? 'decode' : 'attention', ...it, ...machine },
      ...{ gflops, peakRatio: ratioOf(gflops, machine.peakGflops), ...timing },
      ...(without && { overheadRatio: timing.medianMs / without.medianMs }),
      ...(it.pass === 'decode' && bandwidth(it, machine, timing)),
    };
  });
}

type Timings = readonly [Timing, (Timing | undefined)?];

/** With a record also the time without, for comparison. */
function timeForward(problem: AttentionProblem, it: AttentionCase, options: TimingOptions): Timings {
  const recorded = it.record === 'default';
  const outputs = forwardOutputs(problem, recorded);
  runForward(problem, outputs);
  checkForward(`${it.pass} ${it.mask}`, problem, outputs);
  const plain = { out: outputs.out, lse: outputs.lse };
  const works = recorded ? [outputs, plain] : [plain];
  const [timing, without] = timeInTurns(
    works.map((to) => () => runForward(problem, to)),
    options,
  ) as [Timing, Timing?];
  return [timing, without];
}

function timeBackward(problem: AttentionProblem, options: TimingOptions): Timings {
  const { out, lse } = forwardOutputs(problem, false);
  runForward(problem, { out, lse });
  const dout = tensor(normalValues(out.size, 5), out.shape, { backend: out.backend });
  const [forward, gradients] = [{ out, lse, dout }, backwardOutputs(problem)];
  runBackward(problem, forward, gradients);
  checkBackward('backward', problem, forward, gradients);
  const [timing] = timeInTurns([() => runBackward(problem, forward, gradients)], options) as [Timing];
  return [timing];
}

function bandwidth({ shape: { B, G, S, D } }: AttentionCase, machine: Machine, { medianMs }: Timing) {
  const gigabytesPerSecond = (2 * 4 * B * G * S * D) / medianMs / 1e6;
  return { gigabytesPerSecond, copyRatio: ratioOf(gigabytesPerSecond, machine.copyGigabytesPerSecond) };
}
