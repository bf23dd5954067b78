/**
 * A case of attention as operands on a backend, and the kernel calls on them. Kernels are called directly, so that a
 * figure is the kernel's own. Next: attentionCheck.ts (are the results right), attentionBench.ts (how fast).
 */

import { compileMask } from '../../attention/blockMap.js';
import { bigBird } from '../../attention/blockSparse.js';
import { and, booleanMask, causal, keyPadding, type Mask, slidingWindow } from '../../attention/mask.js';
import { not, or } from '../../attention/maskAlgebra.js';
import {
  type AttentionSizes,
  type MaskOperands,
  maskOperands,
  type ScoreScalars,
  scoreScalars,
} from '../../attention/operands.js';
import { type ScoreOperands, type ScoreProgram, scoreOperands } from '../../attention/scoreMod/program.js';
import { scoreMod } from '../../attention/scoreMod/scoreMod.js';
import type { Backend } from '../../backend/contract.js';
import { statisticNames } from '../../core/records.js';
import { tensor, zeros } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { AttentionShape, MaskKind, Pass, RecordKind } from './cases.js';
import { backwardOperations, forwardOperations, pairsInBand } from './operations.js';
import { normalValues } from './values.js';

export interface AttentionInputs extends MaskOperands, ScoreOperands {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

export interface ForwardOutputs {
  readonly out: Tensor;
  readonly lse: Tensor;
  readonly statistics?: Tensor | undefined;
  readonly received?: Tensor | undefined;
  readonly tiles?: Tensor | undefined;
  readonly topWeights?: Tensor | undefined;
  readonly topKeys?: Tensor | undefined;
  readonly zeroKeys?: Tensor | undefined;
}

export interface BackwardOutputs {
  readonly dq: Tensor;
  readonly dk: Tensor;
  readonly dv: Tensor;
}

export interface AttentionProblem {
  readonly program?: ScoreProgram | undefined;
  readonly sizes: AttentionSizes;
  readonly mask?: Mask | undefined;
  readonly inputs: AttentionInputs;
  readonly scalars: ScoreScalars & { readonly dropoutRate: number; readonly seed: number; readonly stream: number };
  /** Allowed pairs of query and key over all heads. */
  readonly pairs: number;
}

/** One in eight pairs or keys is forbidden where the kind leaves it open. */
const forbidden = 8;

export function createProblem(backend: Backend, shape: AttentionShape, kind: MaskKind): AttentionProblem {
  const { B, H, G, L, S, D } = shape;
  const sizes = { ...shape, Dv: D };
  const normal = (dims: readonly number[], seed: number): Tensor =>
    tensor(
      normalValues(
        dims.reduce((a, b) => a * b),
        seed,
      ),
      dims,
      { backend },
    );
  const [q, k, v] = [normal([B, H, L, D], 1), normal([B, G, S, D], 2), normal([B, G, S, D], 3)];
  const mask = maskOf(kind, shape, backend);
  const bias = kind === 'bias' ? normal([1, 1, L, S], 4) : undefined;
  const program = kind === 'scoreMod' ? alibi(H, backend) : undefined;
  const masks = maskOperands('bench', sizes, q, { mask, bias });
  const inputs = { q, k, v, ...masks, ...scoreOperands(program, sizes, 0, q) };
  const scalars = { ...scoreScalars(sizes, { mask }), dropoutRate: 0, seed: 0, stream: 0 };
  const keys = mask?.lengths?.[0] ?? S;
  const inHead = mask?.allowed ? countAllowed(mask.allowed) : pairsInBand(L, keys, scalars);
  const pairs = B * H * (mask?.predicate ? compileMask(mask, { H, L, S }).densityRatio * L * S : inHead);
  return { program, sizes, mask, inputs, scalars, pairs };
}

/** Press et al. 2022, §3, as a formula. */
function alibi(heads: number, backend: Backend): ScoreProgram {
  const slopes = tensor(
    Float32Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads)),
    [heads],
    { backend },
  );
  return scoreMod((score, { h, q, k, lookup }) => score.add(lookup(slopes, h).multiply(k.subtract(q))));
}

function maskOf(kind: MaskKind, { B, L, S }: AttentionShape, backend: Backend): Mask | undefined {
  const window = (from: number): Mask => slidingWindow({ left: Number(kind.slice(from)) - 1 });
  if (kind.startsWith('window:')) return and(causal(), window(7));
  if (kind.startsWith('composed:')) return not(or(not(causal()), not(window(9))));
  if (kind === 'bigbird') return bigBird({ random: 6 });
  if (kind === 'causal') return causal();
  if (kind === 'padding') return keyPadding(new Array<number>(B).fill(S - Math.floor(S / forbidden)));
  if (kind === 'boolean') return booleanMask(tensor(scattered(L * S), [1, 1, L, S], { backend }));
  return undefined;
}

/** Ones, with zeros scattered over them. */
function scattered(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (Math.imul(index, 0x9e3779b1) >>> 29 === 0 ? 0 : 1));
}

function countAllowed(allowed: Tensor): number {
  return (allowed.toArray() as Uint8Array).reduce((sum, value) => sum + value, 0);
}

/** Multiplications and additions of one call. */
export function problemOperations({ pairs, sizes: { D } }: AttentionProblem, pass: Pass): number {
  return pass === 'backward' ? backwardOperations(pairs, D) : forwardOperations(pairs, D);
}

/** What a full record holds: the four largest weights of a row, a map of 64 × 64. */
const [top, bins] = [4, 64];

/** Room for the results of the forward kernel, and for what is to be recorded. */
export function forwardOutputs({ sizes, inputs: { q } }: AttentionProblem, record: RecordKind): ForwardOutputs {
  const { B, H, L, S, Dv } = sizes;
  const { backend } = q;
  const room = (shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor => zeros(shape, { backend, dtype });
  const plain = { out: room([B, H, L, Dv]), lse: room([B, H, L]) };
  if (record === 'none') return plain;
  const statistics = room([statisticNames.length, B, H, L]);
  if (record === 'default') return { ...plain, statistics };
  return {
    ...{ ...plain, statistics, received: room([B, H, S]), tiles: room([B, H, bins, bins]) },
    ...{ topWeights: room([B, H, L, top]), topKeys: room([B, H, L, top], 'i32'), zeroKeys: room([B, H, L]) },
  };
}

export function backwardOutputs({ inputs: { q, k, v } }: AttentionProblem): BackwardOutputs {
  const like = ({ shape, backend }: Tensor): Tensor => zeros(shape, { backend });
  return { dq: like(q), dk: like(k), dv: like(v) };
}

export function runForward({ inputs, scalars }: AttentionProblem, outputs: ForwardOutputs): void {
  inputs.q.backend.run('attention_forward_f32', { ...outputs, ...inputs }, { ...scalars, window: 16 });
}

/** Needs what the forward kernel left, and the gradient of its result. */
export function runBackward(
  { inputs, scalars }: AttentionProblem,
  forward: ForwardOutputs & { readonly dout: Tensor },
  gradients: BackwardOutputs,
): void {
  const { out, lse, dout } = forward;
  inputs.q.backend.run(
    'attention_backward_f32',
    { ...gradients, out, lse, dout, ...inputs },
    { ...scalars, window: 16 },
  );
}
