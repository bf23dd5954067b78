/**
 * Greedy and beam search over a decoder session, for a batch of sources at once. Greedy is a beam of one.
 */

import type { Context } from '../nn/context.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { DecoderSession } from './decoderSession.js';
import type { EncoderDecoder, TokenBatch } from './encoderDecoder.js';

export interface DecodeOptions {
  /** Token that starts and token that ends a target. */
  readonly begin: number;
  readonly end: number;
  /** Longest target, in tokens. */
  readonly maxLength: number;
  /** Hypotheses kept per source; 1 is greedy. Default 1. */
  readonly beams?: number;
}

/** A target and its log-probability, the ending included. */
export interface Decoded {
  readonly tokens: readonly number[];
  readonly logProbability: number;
  /** False when `maxLength` cut it off. */
  readonly finished: boolean;
}

interface Hypothesis {
  /** Row of the session that it continues. */
  readonly row: number;
  readonly source: number;
  readonly tokens: readonly number[];
  readonly logProbability: number;
}

/** The best target of every source, in order. */
export function decode(model: EncoderDecoder, source: TokenBatch, context: Context, options: DecodeOptions): Decoded[] {
  return noGrad(() =>
    scope(() => {
      const session = new DecoderSession(model.decoder, model.encoder.forward(source, context), context);
      try {
        return search(session, source.lengths.length, options);
      } finally {
        session.dispose();
      }
    }),
  );
}

function search(session: DecoderSession, sources: number, options: DecodeOptions): Decoded[] {
  const { begin, end, maxLength, beams = 1 } = options;
  const best: (Decoded | undefined)[] = Array(sources).fill(undefined);
  let alive: Hypothesis[] = best.map((_, source) => ({ row: source, source, tokens: [], logProbability: 0 }));
  for (let length = 1; alive.length > 0; length++) {
    const scores = session.step(alive.map(({ tokens }) => tokens.at(-1) ?? begin));
    const next: Hypothesis[] = [];
    for (const candidates of bySource(alive, scores, beams)) {
      for (const candidate of candidates) {
        if (candidate.tokens.at(-1) === end) offer(best, candidate, true);
        else if (length >= maxLength) offer(best, candidate, false);
        else next.push(candidate);
      }
    }
    alive = next.filter((hypothesis) => canStillWin(hypothesis, best[hypothesis.source]));
    if (alive.length > 0) session.reorder(alive.map(({ row }) => row));
    alive = alive.map((hypothesis, row) => ({ ...hypothesis, row }));
  }
  return best as Decoded[];
}

/** For every source, its `beams` best one-token continuations. */
function* bySource(alive: readonly Hypothesis[], scores: Float32Array, beams: number): Generator<Hypothesis[]> {
  const vocabulary = scores.length / alive.length;
  for (let start = 0; start < alive.length; ) {
    const { source } = alive[start] as Hypothesis;
    let stop = start;
    while (stop < alive.length && alive[stop]?.source === source) stop++;
    yield continuations(alive.slice(start, stop), scores, vocabulary, beams);
    start = stop;
  }
}

function continuations(
  group: readonly Hypothesis[],
  scores: Float32Array,
  vocabulary: number,
  beams: number,
): Hypothesis[] {
  const kept: { parent: Hypothesis; token: number; logProbability: number }[] = [];
  for (const parent of group) {
    for (let token = 0; token < vocabulary; token++) {
      const logProbability = parent.logProbability + (scores[parent.row * vocabulary + token] as number);
      if (kept.length === beams && logProbability <= (kept[beams - 1]?.logProbability ?? -Infinity)) continue;
      const place = kept.findIndex((other) => other.logProbability < logProbability);
      kept.splice(place === -1 ? kept.length : place, 0, { parent, token, logProbability });
      if (kept.length > beams) kept.pop();
    }
  }
  return kept.map(({ parent, token, logProbability }) => ({
    ...parent,
    tokens: [...parent.tokens, token],
    logProbability,
  }));
}

function offer(best: (Decoded | undefined)[], { source, tokens, logProbability }: Hypothesis, finished: boolean): void {
  const held = best[source];
  if (held && (held.finished || !finished) && held.logProbability >= logProbability) return;
  best[source] = { tokens: finished ? tokens.slice(0, -1) : tokens, logProbability, finished };
}

/** A continuation only ever loses probability. */
function canStillWin({ logProbability }: Hypothesis, best: Decoded | undefined): boolean {
  return !best?.finished || logProbability > best.logProbability;
}
