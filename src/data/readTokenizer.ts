/** A stored tokenizer of any kind, read back: what `toJSON` of characters, BPE and WordPiece wrote. */

import { z } from 'zod';
import { FormatError } from '../core/errors.js';
import { ByteLevelBpe } from './byteLevelBpe.js';
import { CharacterTokenizer } from './characterTokenizer.js';
import type { TextTokenizer } from './textTokenizer.js';
import { WordPiece } from './wordPiece.js';

const vocab = z.record(z.string(), z.int().nonnegative());
const stored = z.object({
  version: z.literal('1.0'),
  normalizer: z.object({ type: z.literal('BertNormalizer'), lowercase: z.boolean() }).nullable(),
  model: z.discriminatedUnion('type', [
    z.object({ type: z.literal('BPE'), vocab, merges: z.array(z.tuple([z.string(), z.string()])) }),
    z.object({ type: z.literal('WordPiece'), vocab }),
  ]),
});

/** Reads what `toJSON` of any tokenizer wrote. Errors: FormatError for anything else, or another version. */
export function readTokenizer(value: unknown): TextTokenizer {
  const kind = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  if (kind === 'characters') return CharacterTokenizer.fromJSON(value);
  const result = stored.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new FormatError(
      `readTokenizer: expected a stored tokenizer, got one whose ${issue?.path.join('.') || 'form'} is not known: ${issue?.message}; open it with the version of Keyhole that wrote it`,
    );
  }
  const { model, normalizer } = result.data;
  const tokens = tokensOf(model.vocab);
  if (model.type === 'BPE') return new ByteLevelBpe(tokens, model.merges);
  return new WordPiece(tokens, { lowercase: normalizer?.lowercase ?? false });
}

/** Tokens in the order of their ids. Errors: FormatError for ids that are not 0 … V-1. */
function tokensOf(ids: Readonly<Record<string, number>>): string[] {
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(ids)) tokens[id] = token;
  const count = Object.keys(ids).length;
  if (tokens.length === count && !tokens.includes(undefined as never)) return tokens;
  throw new FormatError(
    `readTokenizer: expected every id in [0, V = ${count}) once, got ids up to ${tokens.length - 1}`,
  );
}
