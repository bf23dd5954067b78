/**
 * The manifest of a checkpoint, `state.json`: what the other files must look like, and where training stood. It carries
 * the hash of its own content, so a flipped bit in it is found too. Next: checkpoint.ts.
 */

import { z } from 'zod';
import { sha256 } from '#host';
import { FormatError } from '../core/errors.js';
import { parseStrictJson } from './strictJson.js';
import { validate } from './validate.js';

/** Anything that JSON can carry without loss. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** What a file must measure. */
export interface FileFacts {
  readonly length: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly step: number;
  readonly bestStep: number | undefined;
  readonly files: Readonly<Record<string, FileFacts>>;
  readonly state: JsonValue;
}

/** Version of this layout; raised when an older reader would misunderstand. */
const format = 1;

const step = z.int().nonnegative();
const schema = z.strictObject({
  format: z.literal(format),
  step,
  bestStep: step.nullable(),
  files: z.record(z.string(), z.strictObject({ length: z.int().nonnegative(), sha256: z.string().length(64) })),
  state: z.json(),
  sha256: z.string(),
});

export function encodeManifest({ step, bestStep, files, state }: Manifest): string {
  const body = { format, step, bestStep: bestStep ?? null, files, state };
  return `${JSON.stringify({ ...body, sha256: sha256(JSON.stringify(body)) })}\n`;
}

/** Reads and checks a manifest; throws FormatError naming `path`. */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  const { sha256: expected, ...body } = validate(schema, parseStrictJson(bytes, path), path);
  if (sha256(JSON.stringify(body)) !== expected) {
    throw new FormatError(`load: expected the sha256 of ${path} to match its content, got another`);
  }
  return { step: body.step, bestStep: body.bestStep ?? undefined, files: body.files, state: body.state };
}
