/**
 * Figures of a sequence-to-sequence model on held-out examples with the right past given. What it writes on its own is
 * scored by sequenceScores.ts.
 */

import { Accuracy } from '../metrics/accuracy.js';
import { RunningMean } from '../metrics/runningMean.js';
import type { EncoderDecoder } from '../models/encoderDecoder.js';
import { inference } from '../nn/context.js';
import { crossEntropy } from '../tensor/crossEntropy.js';
import { noGrad } from '../tensor/recording.js';
import { argmax, sum } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { SequenceBatch } from './sequenceData.js';

/** Mean loss in nats per token, without smoothing, and the share of tokens whose best guess is right. */
export function teacherForced(
  model: EncoderDecoder,
  batches: Iterable<() => SequenceBatch>,
  pad: number,
): { readonly loss: number; readonly tokenAccuracy: number } {
  const loss = new RunningMean();
  const accuracy = new Accuracy({ ignore: pad });
  const context = inference();
  for (const next of batches) {
    noGrad(() =>
      scope(() => {
        const batch = next();
        const logits = model.forward(batch.source, batch.input, context); // [B, L, V]
        loss.add(sum(crossEntropy(logits, batch.labels, { ignore: pad })).item() / batch.tokens, batch.tokens);
        accuracy.add(argmax(logits, 2).toArray(), batch.labels.toArray());
      }),
    );
  }
  return { loss: loss.value, tokenAccuracy: accuracy.value };
}
