/** Samples of the operations of src/attention for the gradient check. */

import { and, attention, booleanMask, causal, keyPadding, slidingWindow } from '../../src/attention/index.js';
import { tensor } from '../../src/tensor/index.js';
import type { Sample, SampleInput } from './checkGradients.js';

const random = (...shape: number[]): SampleInput => ({ shape });

/** Sizes with grouped heads, S ≠ L and Dv ≠ D: B=2, H=4, G=2, L=3, S=5, D=4, Dv=3. */
const cross = [random(2, 4, 3, 4), random(2, 2, 5, 4), random(2, 2, 5, 3)];

/** Keyed by operation name. */
export const attentionSamples: Readonly<Record<string, readonly Sample[]>> = {
  attention: [
    { inputs: cross, run: (q, k, v) => attention(q, k, v).out },
    {
      inputs: [random(1, 2, 5, 3), random(1, 2, 5, 3), random(1, 2, 5, 3)],
      run: (q, k, v) => attention(q, k, v, { mask: and(causal(), slidingWindow({ left: 2 })), softcap: 0.7 }).out,
    },
    { inputs: cross, run: (q, k, v) => attention(q, k, v, { mask: keyPadding([0, 4]), scale: 0.9 }).out },
    {
      inputs: cross,
      run: (q, k, v) => {
        const allowed = tensor([1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1], [3, 5], {
          dtype: 'u8',
          backend: q.backend,
        });
        return attention(q, k, v, { mask: booleanMask(allowed) }).out;
      },
    },
    { inputs: [...cross, random(4, 3, 5)], run: (q, k, v, bias) => attention(q, k, v, { bias }).out },
    {
      inputs: cross,
      run: (q, k, v) => attention(q, k, v, { dropout: { rate: 0.3, seed: 5 }, record: { statistics: true } }).out,
    },
  ],
};
