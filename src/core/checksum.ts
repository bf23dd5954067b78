/**
 * Cyclic redundancy checks of 32 bits, reflected, initial value and final inversion all ones: CRC-32 as PNG has it, and
 * CRC-32C as TFRecord files have it. They find accidents, not attackers.
 */

/** CRC-32 (ISO 3309, PNG §5.5) as an unsigned number. */
export function crc32(bytes: Uint8Array): number {
  return checksum(bytes, ieee);
}

/** CRC-32C (Castagnoli; RFC 3720 §B.4) as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  return checksum(bytes, castagnoli);
}

const ieee = tableOf(0xedb88320);
const castagnoli = tableOf(0x82f63b78);

/** What one byte does to the remainder, for each of its 256 values. */
function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0);
    return remainder;
  });
}

function checksum(bytes: Uint8Array, table: Uint32Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ (table[(remainder ^ byte) & 0xff] ?? 0);
  return (remainder ^ 0xffffffff) >>> 0;
}
