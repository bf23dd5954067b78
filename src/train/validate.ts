/** Checks parsed JSON against a zod schema and words the first complaint as a Keyhole error. */

import type { z } from 'zod';
import { FormatError } from '../core/errors.js';

/** Returns the value with its type, or throws FormatError: `<path>: expected <field>: <what>`. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue === undefined || issue.path.length === 0 ? 'the whole' : issue.path.map(String).join('.');
  throw new FormatError(`${path}: ${field}: ${issue?.message ?? 'not valid'}; damaged, or from another version`, {
    issues: result.error.issues,
  });
}
