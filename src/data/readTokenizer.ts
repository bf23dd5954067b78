/** A stored tokenizer of any kind, read back. */

import { FormatError } from '../core/errors.js';
import { CharacterTokenizer } from './characterTokenizer.js';
import type { TextTokenizer } from './textTokenizer.js';

/** Reads what `toJSON` of any tokenizer wrote. Errors: FormatError for anything else, or another version. */
export function readTokenizer(value: unknown): TextTokenizer {
  const kind = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  if (kind === 'characters') return CharacterTokenizer.fromJSON(value);
  throw new FormatError(`readTokenizer: expected a stored tokenizer, got ${typeof value} of kind ${String(kind)}`);
}
