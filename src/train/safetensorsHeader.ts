/**
 * The header of a safetensors file, checked to the last byte: names, types, shapes, and that the arrays tile the data
 * from its first byte to its last, without holes or overlaps. Next: strictJson.ts.
 */

import { FormatError } from '../core/errors.js';
import type { Shape } from '../core/shape.js';
import { parseStrictJson } from './strictJson.js';

const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

export type SafetensorsDType = keyof typeof elementBytes;

/** One array of the header. */
export interface HeaderEntry {
  readonly key: string;
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

type JsonObject = Record<string, unknown>;

export function bytesPerElement(dtype: SafetensorsDType): number {
  return elementBytes[dtype];
}

/** Reads and checks a header against the number of data bytes that follow it. Throws FormatError. */
export function parseHeader(bytes: Uint8Array, dataLength: number, file: string): Header {
  const header = parseStrictJson(bytes, `header of ${file}`);
  if (!isObject(header)) throw malformed(file, 'a JSON object as header', describe(header));
  const { __metadata__: metadata = {}, ...arrays } = header;
  const entries = Object.entries(arrays).map(([key, value]) => parseEntry(key, value, file));
  checkTiling(entries, dataLength, file);
  return { entries, metadata: parseMetadata(metadata, file) };
}

function parseEntry(key: string, value: unknown, file: string): HeaderEntry {
  const where = `${file}, array ${JSON.stringify(key.slice(0, 80))}`;
  if (!isObject(value) || Object.keys(value).sort().join() !== 'data_offsets,dtype,shape') {
    throw malformed(where, 'exactly dtype, shape and data_offsets', describe(value));
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDType(dtype)) throw malformed(where, `a dtype of ${Object.keys(elementBytes).join(' ')}`, describe(dtype));
  if (!isSizes(shape)) throw malformed(where, 'a shape of whole numbers from 0', describe(shape));
  if (!isSizes(offsets) || offsets.length !== 2) throw malformed(where, 'data_offsets [begin, end]', describe(offsets));
  const [begin, end] = offsets as [number, number];
  const length = shape.reduce((product, axis) => product * axis, elementBytes[dtype]);
  if (!Number.isSafeInteger(length) || end - begin !== length) {
    throw malformed(where, `data_offsets that span ${length} bytes for ${dtype} [${shape}]`, describe(offsets));
  }
  return { key, dtype, shape, begin, end };
}

/** Holes, overlaps, reversed offsets, offsets past the end and trailing bytes all break the chain of ends and begins. */
function checkTiling(entries: readonly HeaderEntry[], dataLength: number, file: string): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      throw malformed(`${file}, array ${JSON.stringify(entry.key)}`, `data to begin at ${end}`, String(entry.begin));
    }
    end = entry.end;
  }
  if (end !== dataLength) throw malformed(file, `${end} bytes of data as the header says`, String(dataLength));
}

function parseMetadata(metadata: unknown, file: string): Readonly<Record<string, string>> {
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw malformed(file, '__metadata__ of strings', describe(metadata));
  }
  return metadata as Record<string, string>;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDType(value: unknown): value is SafetensorsDType {
  return typeof value === 'string' && Object.hasOwn(elementBytes, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function describe(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

function malformed(where: string, expected: string, got: string): FormatError {
  return new FormatError(`safetensors: ${where}: expected ${expected}, got ${got}`);
}
