/**
 * What a transformer of given sizes would cost, before it is built: parameters, operations, memory, predicted time, and
 * how far back information travels, for one attention mechanism or for several beside each other.
 */

import { ShapeError } from '../../core/errors.js';
import { findMechanism, type Mechanism } from './mechanisms.js';
import { type MemoryPlan, planMemory } from './memory.js';
import { countOperations } from './operations.js';
import { type CheckedPlan, checkPlan, countParameters, type ModelPlan } from './plan.js';
import { type MachineSpeed, predictMs } from './time.js';

/** The cost of a plan with one mechanism; a plain record. */
export interface Estimate {
  readonly mechanism: string;
  readonly keyValueHeads: number;
  readonly parameters: number;
  /** Useful multiplications and additions of the pass, as `keyhole bench` counts them. */
  readonly operations: number;
  /** Share of all pairs that may attend, and of those that the kernel computes; null for linear attention. */
  readonly densityRatio: number | null;
  readonly computedRatio: number | null;
  /** Bytes. */
  readonly memory: MemoryPlan;
  /** Positions back, through one layer and through all. */
  readonly reach: Mechanism['reach'];
  readonly looksAhead: boolean;
  /** Predicted milliseconds of a forward pass or training step; null without a machine. */
  readonly predictedMs: number | null;
}

export interface EstimateOptions {
  /** One of `mechanismNames`. Default `causal`, or `full` when the plan is bidirectional. */
  readonly mechanism?: string | undefined;
  /** From `keyhole bench`; without it no time is predicted. */
  readonly machine?: MachineSpeed | undefined;
}

/**
 * What a plan costs with one mechanism. Nothing is built, so a large model takes no longer than a small one.
 *
 * Accuracy: parameters and operations exact; memory within 15 % of what is counted on the model (decision 65); time is a
 * prediction from measured shares of the peak.
 * Errors: ShapeError for sizes that no model can have, UsageError for an unknown mechanism.
 *
 * @example
 * const { parameters, memory } = estimate({ layers: 12, heads: 12, width: 768, length: 1024, batch: 8, train: true });
 */
export function estimate(plan: ModelPlan, { mechanism, machine }: EstimateOptions = {}): Estimate {
  const checked = checkPlan(plan);
  return estimateOf(checked, findMechanism(mechanism ?? defaultMechanism(checked), checked), machine);
}

function defaultMechanism({ bidirectional }: CheckedPlan): string {
  return bidirectional ? 'full' : 'causal';
}

function estimateOf(plan: CheckedPlan, mechanism: Mechanism, machine?: MachineSpeed): Estimate {
  const parameters = countParameters(plan);
  const { matmul, attention, matmulBackward, attentionBackward } = countOperations(plan, mechanism);
  const all = plan.heads * plan.length ** 2;
  return {
    mechanism: mechanism.name,
    keyValueHeads: plan.keyValueHeads,
    parameters,
    operations: matmul + attention + matmulBackward + attentionBackward,
    densityRatio: mechanism.linear ? null : mechanism.pairs / all,
    computedRatio: mechanism.linear ? null : mechanism.computedPairs / all,
    memory: planMemory(plan, mechanism, parameters),
    reach: mechanism.reach,
    looksAhead: mechanism.looksAhead,
    predictedMs: machine ? predictMs(plan, mechanism, parameters, machine) : null,
  };
}

export interface CompareOptions extends EstimateOptions {
  /** Positions back that information must travel through all layers. Default length - 1, everything. */
  readonly reach?: number | undefined;
}

/** Mechanisms beside each other, the plan's own first. */
export interface Comparison {
  readonly reach: number;
  readonly estimates: readonly [Estimate, ...Estimate[]];
  /** The one of least predicted time, or of least operations without a machine, that keeps the reach; null for none. */
  readonly cheapest: Estimate | null;
}

/**
 * The plan's mechanism; then full, causal, the smallest window that keeps the reach, a dilated one of as many keys,
 * strided, BigBird and linear; then the plan's with fewer key/value heads. Cheapest among those that keep the reach and, in a language model,
 * do not look ahead; in a bidirectional one, among those that do.
 *
 * Errors: as `estimate`; ShapeError for a reach that the length does not have.
 */
export function compareMechanisms(plan: ModelPlan, { mechanism, machine, reach }: CompareOptions = {}): Comparison {
  const checked = checkPlan(plan);
  const needed = checkedReach(checked, reach);
  const own = findMechanism(mechanism ?? defaultMechanism(checked), checked);
  const others = otherNames(checked, needed).filter((name) => name !== own.name);
  const estimates: [Estimate, ...Estimate[]] = [
    estimateOf(checked, own, machine),
    ...others.map((name) => estimateOf(checked, findMechanism(name, checked), machine)),
    ...fewerHeads(checked).map((keyValueHeads) => estimateOf({ ...checked, keyValueHeads }, own, machine)),
  ];
  const fitting = estimates.filter(
    ({ reach: { allLayers }, looksAhead }) => allLayers >= needed && looksAhead === checked.bidirectional,
  );
  return { reach: needed, estimates, cheapest: cheapestOf(fitting) };
}

function checkedReach({ length }: CheckedPlan, reach = length - 1): number {
  if (Number.isSafeInteger(reach) && reach >= 0 && reach < length) return reach;
  throw new ShapeError(`estimate: expected reach a whole number from 0 to length - 1 = ${length - 1}, got ${reach}`);
}

/** A stride below two blocks saves nothing. */
const stride = 128;

function otherNames({ layers, length, bidirectional }: CheckedPlan, reach: number): string[] {
  const window = Math.ceil(reach / layers);
  const causalOnly = bidirectional ? [] : [`strided:${stride}`];
  return [
    'full',
    'causal',
    `window:${window}`,
    `dilated:${stride}:${Math.min(stride * window, length - 1)}`,
    ...causalOnly,
    'bigbird',
    'linear',
  ];
}

/** Groups of four query heads, and one key/value head for all. */
function fewerHeads({ heads, keyValueHeads }: CheckedPlan): number[] {
  const grouped = heads % 4 === 0 ? [heads / 4] : [];
  return [...new Set([...grouped, 1])].filter((count) => count < keyValueHeads);
}

function cheapestOf(estimates: readonly Estimate[]): Estimate | null {
  const cost = ({ predictedMs, operations }: Estimate): number => predictedMs ?? operations;
  return estimates.reduce<Estimate | null>((best, each) => (best && cost(best) <= cost(each) ? best : each), null);
}
