/** Where the second of two texts begins among the tokens of a picture. */

import { UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';

/** Letters and digits, without what tokenizers put in place of a space. */
function lettersIn(text: string): number {
  return text.replace(/[^\p{L}\p{N}]|[\u0120\u2581]/gu, '').length;
}

/**
 * The token after those that spell the first text, whether they are characters, parts of words or words.
 *
 * Errors: UsageError when no self-attention shows both texts.
 */
export function splitOf(pictures: readonly AttentionPicture[], first: string): number {
  const tokens = pictures.find(({ kind }) => kind === 'self')?.columns ?? [];
  let left = lettersIn(first);
  const last = tokens.findIndex((token) => {
    left -= lettersIn(token);
    return left <= 0;
  });
  const next = tokens.findIndex((token, index) => index > last && lettersIn(token) > 0);
  if (last >= 0 && next > last) return next;
  throw new UsageError(`inspect: expected self-attention over both texts for --second, got tokens of the first alone`);
}
