/**
 * Attention in one kernel as an operation with a gradient: forward keeps only lse, backward recomputes the weights from it.
 * Next: ../backend/contract.ts for what the kernels compute.
 */

import { StateError } from '../core/errors.js';
import { type StatisticName, statisticNames } from '../core/records.js';
import { sumToShape } from '../tensor/broadcast.js';
import { defineOperation, type Inputs, type Outputs, type Saved } from '../tensor/operation.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand, permute, select } from '../tensor/views.js';
import type { FusedOperands, FusedScalars } from './fusedOperands.js';
import type { AttentionSizes } from './operands.js';
import { differentiableStatistics } from './recording.js';
import type { KernelRecord } from './recordOperands.js';
import { spreadRelative } from './relativeBias.js';

export interface FusedOptions {
  readonly sizes: AttentionSizes;
  readonly scalars: FusedScalars;
  /** Where the kernel writes what is recorded. */
  readonly kept: KernelRecord;
  /** Whether the weight of each column of the bias by distance is wanted. */
  readonly withMass: boolean;
}

export interface FusedResult {
  /** [B, H, L, Dv] */
  readonly out: Tensor;
  /** [B, H, L] */
  readonly lse: Tensor;
  /** Every statistic [B, H, L] in the order of their names, or none. */
  readonly statistics: readonly Tensor[];
  /** The weight by distance [B, H, L, R], when wanted. */
  readonly mass: Tensor | undefined;
}

/** Attention over worded operands. Differentiable in q, k, v, bias, captured values, the bias by distance and sinks. */
export function fusedAttention(operands: FusedOperands, options: FusedOptions): FusedResult {
  const outputs = operation(
    operandNames.map((name) => operands[name]),
    options,
  );
  return named(outputs, options);
}

/** The operands in the order in which the operation takes them. */
const operandNames = [
  ...(['q', 'k', 'v', 'bias', 'mask', 'lengths', 'set', 'blocks', 'patterns'] as const),
  ...(['program', 'captured', 'relative', 'sinks'] as const),
];

function operandsOf(inputs: Inputs): FusedOperands {
  return Object.fromEntries(operandNames.map((name, at) => [name, inputs[at]])) as unknown as FusedOperands;
}

/** What the operation returns, or the gradients of it, by name. */
function named<T extends Tensor | undefined>([out, lse, ...more]: readonly T[], { withMass }: FusedOptions) {
  return {
    ...{ out: out as T, lse: lse as T },
    ...{ statistics: withMass ? more.slice(0, -1) : more, mass: withMass ? more.at(-1) : undefined },
  };
}

const operation = defineOperation<Inputs, Outputs, Saved, FusedOptions>({
  name: 'attention',

  forward(inputs, { sizes, scalars, kept, withMass }) {
    const operands = operandsOf(inputs);
    const { q } = operands;
    const { B, H, L, Dv } = sizes;
    const relative = spreadRelative(operands.relative, sizes);
    const mass = relative && withMass ? allocate(q.backend, 'f32', relative.shape) : undefined;
    const out = headsLast([B, H, L, Dv], q);
    const lse = allocate(q.backend, 'f32', [B, H, L]);
    const results = { out, lse, ...kept, relativeMass: mass };
    q.backend.run('attention_forward_f32', { ...results, ...operands, relative }, scalars);
    const { statistics } = kept;
    const each = statistics ? statisticNames.map((_, at) => select(statistics, 0, at)) : [];
    return { outputs: [out, lse, ...each, ...(mass ? [mass] : [])], saved: { ...(statistics && { statistics }) } };
  },

  backward({ inputs, outputs, saved, options, needs }, gradients) {
    const operands = operandsOf(inputs);
    const { q, k, v, bias, captured, relative: table, sinks } = operands;
    const { out, lse, mass } = named<Tensor>(outputs, options);
    const given = named<Tensor | undefined>(gradients, options);
    const wanted = (name: keyof FusedOperands): boolean => needs[operandNames.indexOf(name)] === true;
    const roomFor = (name: 'bias' | 'captured' | 'sinks', x: Tensor | undefined): Tensor | undefined =>
      x && wanted(name) ? allocate(q.backend, 'f32', x.shape) : undefined;
    const [dq, dk, dv] = [headsLast(q.shape, q), headsLast(k.shape, k), headsLast(v.shape, v)];
    const drelative = table && wanted('relative') ? relativeGradient(table, options.sizes) : undefined;
    const optional = { dbias: roomFor('bias', bias), dcaptured: roomFor('captured', captured), drelative };
    const results = { dq, dk, dv, ...optional, dsinks: roomFor('sinks', sinks) };
    const dstatistics = statisticGradients(q, given.statistics);
    const received = {
      ...{ dout: given.out ?? repeatedZero(out), out, lse, dlse: given.lse },
      ...{ dstatistics, statistics: dstatistics && saved.statistics },
      ...{ relativeMass: given.mass && mass, drelativeMass: given.mass },
    };
    const relative = spreadRelative(table, options.sizes);
    q.backend.run('attention_backward_f32', { ...results, ...received, ...operands, relative }, options.scalars);
    const dtable = table && drelative && sumToShape(drelative, table.shape);
    const { dbias, dcaptured, dsinks } = results;
    const byName: Partial<FusedOperands> = { q: dq, k: dk, v: dv, bias: dbias, captured: dcaptured, sinks: dsinks };
    return operandNames.map((name) => (name === 'relative' ? dtable : byName[name]));
  },
});

/** Room for the gradient of a bias by distance: one row a head where all queries share it, else one a query. */
function relativeGradient(table: Tensor, { B, H, L }: AttentionSizes): Tensor {
  const [, , rows, R] = table.shape as [number, number, number, number];
  return allocate(table.backend, 'f32', [B, H, rows === 1 ? 1 : L, R]);
}

/** The gradients of statistics in the kernel's order, zeros where there is none; undefined when there are none at all. */
function statisticGradients(q: Tensor, gradients: readonly (Tensor | undefined)[]): Tensor | undefined {
  if (gradients.every((gradient) => gradient === undefined)) return undefined;
  const [B, H, L] = q.shape as [number, number, number, number];
  const all = allocate(q.backend, 'f32', [statisticNames.length, B, H, L]);
  for (const [at, name] of statisticNames.entries()) {
    const [out, a] = [select(all, 0, at), gradients[at]];
    if (a && !differentiableStatistics.has(name)) throw notDifferentiable(name);
    if (a) q.backend.run('copy_f32', { out, a }, {});
    else q.backend.run('fill_f32', { out }, { value: 0 });
  }
  return all;
}

function notDifferentiable(name: StatisticName): StateError {
  const known = [...differentiableStatistics].join(', ');
  return new StateError(`attention: expected a loss on out, lse, ${known}, got one on ${name}, which has no gradient`);
}

/** A zero in the shape of `like`, for a loss that `out` has no part in. */
function repeatedZero(like: Tensor): Tensor {
  const zero = allocate(like.backend, 'f32', [1, 1, 1, 1]);
  like.backend.run('fill_f32', { out: zero }, { value: 0 });
  return expand(zero, like.shape);
}

/** Uninitialised [B, H, L, D] whose memory is [B, L, H, D], the layout that projections read and write. */
function headsLast(shape: readonly number[], like: Tensor): Tensor {
  const [B, H, L, D] = shape as readonly [number, number, number, number];
  return permute(allocate(like.backend, 'f32', [B, L, H, D]), [0, 2, 1, 3]);
}
