/**
 * TFRecord framing: length (u64) · masked CRC-32C of the length · content · masked CRC-32C of the content, all little
 * endian. Source: tensorflow/core/lib/io/record_writer.h. What the contents are: event.ts.
 */

import { crc32c } from '../../core/checksum.js';
import { join } from './protobuf.js';

const [headerBytes, footerBytes] = [12, 4];

/** One record with its frame. */
export function frameRecord(content: Uint8Array): Uint8Array {
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedChecksum(header.subarray(0, 8)), true);
  const footer = new Uint8Array(footerBytes);
  new DataView(footer.buffer).setUint32(0, maskedChecksum(content), true);
  return join(header, content, footer);
}

/** What a file of records held, up to the first fault. */
export interface ReadRecords {
  readonly records: readonly Uint8Array[];
  /** Length in bytes of the part that is whole. */
  readonly wholeBytes: number;
  /**
   * Why reading ended before the end of the file: `unfinished` when the writer was killed in the middle of the last
   * record, `damaged` when a checksum is wrong.
   */
  readonly fault?: 'unfinished' | 'damaged';
}

/** Reads records; what follows the first fault is left out, because nothing tells where the next record begins. */
export function readRecords(bytes: Uint8Array): ReadRecords {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const found = recordAt(bytes, view, at);
    if (typeof found === 'string') return { records, wholeBytes: at, fault: found };
    records.push(found);
    at += headerBytes + found.length + footerBytes;
  }
  return { records, wholeBytes: at };
}

function recordAt(bytes: Uint8Array, view: DataView, at: number): Uint8Array | 'unfinished' | 'damaged' {
  if (at + headerBytes > bytes.length) return 'unfinished';
  if (view.getUint32(at + 8, true) !== maskedChecksum(bytes.subarray(at, at + 8))) return 'damaged';
  const start = at + headerBytes;
  const end = start + Number(view.getBigUint64(at, true));
  if (end + footerBytes > bytes.length) return 'unfinished';
  const content = bytes.subarray(start, end);
  return view.getUint32(end, true) === maskedChecksum(content) ? content : 'damaged';
}

/** Rotated and shifted, so that a checksum of bytes that hold checksums stays meaningful. */
function maskedChecksum(bytes: Uint8Array): number {
  const checksum = crc32c(bytes);
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
