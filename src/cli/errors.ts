/** What a person sees of an error, and the exit code it leads to. */

import { red } from 'ansis';
import { KeyholeError, UsageError } from '../core/errors.js';

/** 2 for wrong use, 1 for everything else. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof UsageError ? 2 : 1;
}

/** One or two lines for errors thrown on purpose; a stack for the rest, because those are bugs. */
export function messageOf(error: unknown): string {
  if (error instanceof KeyholeError) return `${red('error:')} ${error.message}`;
  const stack = error instanceof Error ? error.stack : String(error);
  return `${red('error:')} this should not have happened; please report it\n${stack}`;
}
