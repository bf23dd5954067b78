/**
 * Configurations: one zod schema a task, presets over its defaults, `key=value` overrides over both. Unknown keys are
 * refused with the nearest known one. The result is complete and goes into run.json as it is. Keys: trainingKeys.ts.
 */

import { z } from 'zod';
import { UsageError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';

/** Preset over defaults, overrides over both. `overrides` are `key=value` texts as the command line gives them. */
export function resolveConfig<Shape extends z.ZodRawShape>(
  task: string,
  schema: z.ZodObject<Shape>,
  preset: object,
  overrides: readonly string[] = [],
): z.infer<z.ZodObject<Shape>> {
  const known = Object.keys(schema.shape);
  const given = overrides.map((override) => parseOverride(task, schema, override));
  for (const key of Object.keys(preset)) requireKnown(task, key, known);
  const result = schema.strict().safeParse({ ...preset, ...Object.fromEntries(given) });
  if (result.success) return result.data as z.infer<z.ZodObject<Shape>>;
  const [issue] = result.error.issues;
  throw new UsageError(`${task}: ${issue?.path.join('.')}: ${issue?.message}; see keyhole train ${task} --help`, {
    issues: result.error.issues,
  });
}

/** Errors: UsageError naming the nearest known key. */
export function requireKnown(task: string, key: string, known: readonly string[]): void {
  if (known.includes(key)) return;
  throw new UsageError(
    `configuration: ${task} has no key ${key}; did you mean ${nearest(key, known)}? Known keys: ${known.join(', ')}`,
  );
}

function parseOverride(task: string, schema: z.ZodObject, override: string): [string, unknown] {
  const [, key, text] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
  if (key === undefined || text === undefined) throw new UsageError(`--set: expected key=value, got ${override}`);
  requireKnown(task, key, Object.keys(schema.shape));
  return [key, parseValue(text, kindOf(schema, key))];
}

/** JSON where it is, text where not; lists may also be written with commas, and texts need no quotes. */
function parseValue(text: string, kind: string | undefined): unknown {
  if (kind === 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return kind === 'array' ? text.split(',').map((part) => part.trim()) : text;
  }
}

function kindOf(schema: z.ZodObject, key: string): string | undefined {
  return describeKeys(schema).find(({ name }) => name === key)?.kind;
}

/** One key of a configuration, for people. */
export interface KeyDescription {
  readonly name: string;
  /** JSON type: number, integer, string, boolean, array. */
  readonly kind: string;
  /** What may be given: the type, or the choices. */
  readonly values: string;
  /** Undefined when a preset or the user has to say it. */
  readonly fallback: unknown;
  readonly meaning: string;
}

/** Every key of a schema, in its order. */
export function describeKeys(schema: z.ZodObject): readonly KeyDescription[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => {
    const { type, enum: choices, default: fallback, description = '' } = property as z.core.JSONSchema.BaseSchema;
    return { name, kind: String(type), values: choices?.join(' | ') ?? String(type), fallback, meaning: description };
  });
}
