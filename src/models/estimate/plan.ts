/**
 * A transformer on paper: its sizes, checked, and its number of parameters. The models that these are the sizes of are
 * ../languageModel.ts and the encoder of ../encoderDecoder.ts. Next: mechanisms.ts, estimate.ts.
 */

import { ShapeError } from '../../core/errors.js';

/** Sizes of a transformer and of the batch it is to run on; plain numbers. */
export interface ModelPlan {
  readonly layers: number;
  /** Query heads H; the width is a multiple. */
  readonly heads: number;
  /** Key/value heads G; H is a multiple. Default H. */
  readonly keyValueHeads?: number | undefined;
  /** Model width E. */
  readonly width: number;
  /** Feed-forward width F. Default 4·E. */
  readonly hidden?: number | undefined;
  /** Number of token ids V. Default 50,257 (GPT-2). */
  readonly vocabulary?: number | undefined;
  /** Tokens of a sequence L; also the longest that the model takes. */
  readonly length: number;
  /** Sequences B. */
  readonly batch: number;
  /** False: a language model, with scores of the next token. True: an encoder, which sees both ways. Default false. */
  readonly bidirectional?: boolean | undefined;
  /** A training step with AdamW, not a forward pass. Default false. */
  readonly train?: boolean | undefined;
  /** Whether there is dropout while training, which takes memory. Default false. */
  readonly dropout?: boolean | undefined;
}

/** A plan with nothing left open, and the width D of a head. */
export interface CheckedPlan extends Required<{ readonly [Key in keyof ModelPlan]: NonNullable<ModelPlan[Key]> }> {
  readonly headWidth: number;
}

/** Above this the maps of blocks themselves would take gigabytes. */
const longest = 2 ** 18;

/** Errors: ShapeError for sizes that no model can have. */
export function checkPlan(plan: ModelPlan): CheckedPlan {
  const { heads, keyValueHeads = heads, width, hidden = 4 * width, vocabulary = 50257 } = plan;
  const { layers, length, batch, bidirectional = false, train = false, dropout = false } = plan;
  const sizes = { layers, heads, keyValueHeads, width, hidden, vocabulary, length, batch };
  for (const [name, value] of Object.entries(sizes))
    requireThat(Number.isSafeInteger(value) && value >= 1, `${name} a whole number >= 1`, value);
  requireThat(length <= longest, `length at most ${longest}`, length);
  requireThat(width % heads === 0, `width E = ${width} a multiple of heads H`, `H = ${heads}`);
  requireThat(heads % keyValueHeads === 0, `heads H = ${heads} a multiple of keyValueHeads G`, `G = ${keyValueHeads}`);
  return { ...sizes, bidirectional, train, dropout, headWidth: width / heads };
}

function requireThat(condition: boolean, expected: string, got: unknown): void {
  if (!condition) throw new ShapeError(`estimate: expected ${expected}, got ${String(got)}`);
}

/** Width of all keys of a token, and of all values: G·D. */
export function sharedWidth({ keyValueHeads, headWidth }: CheckedPlan): number {
  return keyValueHeads * headWidth;
}

/** Learned numbers: of `LanguageModel` with a tied output, or of `Encoder`. */
export function countParameters(plan: CheckedPlan): number {
  const { layers, width: E, hidden: F, vocabulary, length, bidirectional } = plan;
  const projections = 2 * (E + 1) * E + 2 * (E + 1) * sharedWidth(plan); // q and out, k and v
  const feedForward = (E + 1) * F + (F + 1) * E;
  const norm = 2 * E;
  const positions = bidirectional ? 0 : length * E; // an encoder's are fixed
  return vocabulary * E + positions + layers * (projections + feedForward + 2 * norm) + norm;
}
