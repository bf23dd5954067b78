/**
 * The alphabet of byte-level tokenizers: every byte has a printable character, so that tokens are texts. The assignment
 * is GPT-2's, which every reader of `tokenizer.json` expects.
 */

/** Characters by byte: printable Latin-1 stands for itself, the 68 others for U+0100 and up. */
export const byteCharacters: readonly string[] = assign();

/** Bytes by character. */
export const characterBytes: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((character, byte) => [character, byte]),
);

function assign(): string[] {
  let next = 0x100;
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

const encoder = new TextEncoder();

/** UTF-8 of a text, a character a byte. */
export function textToByteCharacters(text: string): string[] {
  return Array.from(encoder.encode(text), (byte) => byteCharacters[byte] as string);
}

/** The bytes that a token stands for. */
export function bytesOfToken(token: string): Uint8Array {
  return Uint8Array.from([...token], (character) => characterBytes.get(character) ?? 0);
}

/** Bytes that begin a character: all but the continuations of UTF-8. */
export function startsIn(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => count + Number((byte & 0xc0) !== 0x80), 0);
}
