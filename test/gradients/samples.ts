/**
 * The registry that drives the gradient checks: operation name → samples. An operation without an entry here fails
 * gradients.test.ts. Operations defined above src/tensor add their own table.
 */

import { attentionSamples } from './attentionSamples.js';
import type { Sample } from './checkGradients.js';
import { nnSamples } from './nnSamples.js';
import { tensorSamples } from './tensorSamples.js';

export const samples: Readonly<Record<string, readonly Sample[]>> = {
  ...tensorSamples,
  ...attentionSamples,
  ...nnSamples,
};
