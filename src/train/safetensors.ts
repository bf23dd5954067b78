/**
 * The safetensors format: named arrays in one file, nothing executable. Strict in reading, canonical in writing.
 *
 * File: header length (u64, little-endian) | header (JSON) | data. The header maps names to `dtype`, `shape` and
 * `data_offsets` [begin, end) into data; `__metadata__` maps strings to strings. Source: huggingface/safetensors.
 * What the header must look like: safetensorsHeader.ts. This file knows bytes, not tensors; see parameters.ts.
 */

import { FormatError } from '../core/errors.js';
import type { Shape } from '../core/shape.js';
import { bytesPerElement, parseHeader, type SafetensorsDType } from './safetensorsHeader.js';

export type { SafetensorsDType } from './safetensorsHeader.js';

/** One array as it lies in a file: little-endian, packed, row-major. */
export interface StoredArray {
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly arrays: ReadonlyMap<string, StoredArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The longest header of the published readers, 100 MB. */
const longestHeader = 100_000_000;
/** The header is padded with spaces so that data begins at a multiple of this. */
const alignment = 8;

/**
 * Reads a safetensors file held in memory.
 *
 * Memory: the arrays are views on `file`; nothing but the header is copied.
 * Errors: FormatError for anything a writer should not have written (`numerics.md`, malformed model files).
 */
export function parseSafetensors(file: Uint8Array, name = 'file'): Safetensors {
  const headerLength = readHeaderLength(file, name);
  const data = file.subarray(8 + headerLength);
  const { entries, metadata } = parseHeader(file.subarray(8, 8 + headerLength), data.length, name);
  const arrays = new Map<string, StoredArray>();
  for (const { key, dtype, shape, begin, end } of entries) {
    arrays.set(key, { dtype, shape, bytes: data.subarray(begin, end) });
  }
  return { arrays, metadata };
}

/**
 * Writes arrays in the order of the map, as chunks ready for `writeAtomic`: the header, then each array's own bytes.
 * The same arrays always give the same bytes.
 */
export function encodeSafetensors({ arrays, metadata }: Safetensors): Uint8Array[] {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [key, { dtype, shape, bytes }] of arrays) {
    const begin = end;
    end += bytes.length;
    if (key === '__metadata__' || key === '__proto__')
      throw new FormatError(`encodeSafetensors: ${key} is a reserved name`);
    header[key] = { dtype, shape, data_offsets: [begin, end] };
  }
  return [encodeHeader(JSON.stringify(header)), ...[...arrays.values()].map((array) => array.bytes)];
}

/** Views an array of numbers as a stored array, without a copy. Typed arrays here are little-endian, as files are. */
export function storeArray(values: Float32Array | Float64Array | Int32Array | Uint8Array, shape: Shape): StoredArray {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype: dtypeOf(values), shape, bytes };
}

/** The numbers of a stored array. A view where alignment permits, a copy otherwise. */
export function loadArray(array: StoredArray, name = 'array'): Float32Array | Float64Array | Int32Array | Uint8Array {
  const bytes = array.bytes.byteOffset % bytesPerElement(array.dtype) === 0 ? array.bytes : array.bytes.slice();
  const count = bytes.length / bytesPerElement(array.dtype);
  switch (array.dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    case 'F64':
      return new Float64Array(bytes.buffer, bytes.byteOffset, count);
    case 'I32':
      return new Int32Array(bytes.buffer, bytes.byteOffset, count);
    case 'U8':
      return bytes;
    default:
      throw new FormatError(`loadArray: expected ${name} of F32, F64, I32 or U8, got ${array.dtype}; convert the file`);
  }
}

function readHeaderLength(file: Uint8Array, name: string): number {
  if (file.length < 8) {
    throw new FormatError(
      `safetensors: expected at least 8 bytes in ${name}, got ${file.length}; the file is cut short`,
    );
  }
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  const limit = Math.min(longestHeader, file.length - 8);
  if (length > limit) {
    throw new FormatError(`safetensors: expected a header of at most ${limit} bytes in ${name}, got ${length}`);
  }
  return Number(length);
}

function encodeHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / alignment) * alignment;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return header;
}

function dtypeOf(values: Float32Array | Float64Array | Int32Array | Uint8Array): SafetensorsDType {
  if (values instanceof Float32Array) return 'F32';
  if (values instanceof Float64Array) return 'F64';
  return values instanceof Int32Array ? 'I32' : 'U8';
}
