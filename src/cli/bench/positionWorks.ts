/**
 * Positions by distance as they are called: the attention call with the products that make and use a table, and the same
 * call without, for the ratio. Next: attentionBench.ts.
 */

import { alibi, alibiSlopes } from '../../attention/alibi.js';
import { attention } from '../../attention/attention.js';
import type { RelativeBias } from '../../attention/relativeBias.js';
import { shaw } from '../../attention/shaw.js';
import { t5Bias } from '../../attention/t5Bias.js';
import type { Backend } from '../../backend/contract.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { tensor } from '../../tensor/create.js';
import { noGrad } from '../../tensor/recording.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { slice } from '../../tensor/views.js';
import type { AttentionProblem } from './attentionProblem.js';
import type { PositionKind } from './cases.js';
import { expectClose } from './expectClose.js';
import { normalValues } from './values.js';

/** The call with positions and the one without. Throws StateError when the last row is not what the reference says. */
export function positionWorks(kind: PositionKind, { sizes, inputs }: AttentionProblem): [() => void, () => void] {
  const { q, k, v } = inputs;
  const bias = biasOf(kind, sizes, q.backend);
  const run = (given?: RelativeBias) => (): void => noGrad(() => scope(() => void attention(q, k, v, { bias: given })));
  noGrad(() =>
    scope(() => {
      const last = sizes.L - 1;
      const reference = createReferenceBackend();
      const there = (x: Tensor): Tensor => tensor(x.toArray(), x.shape, { backend: reference });
      const options = { bias: biasOf(kind, sizes, reference), offset: last };
      const truth = attention(there(slice(q, 2, last)), there(k), there(v), options).out;
      expectClose(`forward ${kind}: last row`, slice(attention(q, k, v, { bias }).out, 2, last), truth);
    }),
  );
  return [run(bias), run()];
}

/** T5 with 32 buckets, Shaw with distances up to 16, in keys and values. */
function biasOf(kind: PositionKind, { H, D, Dv }: AttentionProblem['sizes'], backend: Backend): RelativeBias {
  const table = (rows: number, width: number, seed: number): Tensor =>
    tensor(normalValues(rows * width, seed), [rows, width], { backend });
  if (kind === 'alibi') return alibi(alibiSlopes(H));
  if (kind === 't5') return t5Bias(table(32, H, 6));
  return shaw({ keys: table(33, D, 7), values: table(33, Dv, 8) });
}
