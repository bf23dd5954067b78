/**
 * Protocol buffers as far as event files need them: fields of a message as bytes, and a walk over the fields of one.
 * No schema: field numbers are given by event.ts. Source: the encoding guide of Protocol Buffers, "Message Structure".
 */

/** Bytes one after the other. A message is its fields, joined. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A whole number from 0 to 2⁵³, seven bits a byte. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Uint8Array.of(...bytes, rest);
}

function tag(field: number, wireType: 0 | 1 | 2 | 5): Uint8Array {
  return varint(field * 8 + wireType);
}

export function integerField(field: number, value: number): Uint8Array {
  return join(tag(field, 0), varint(value));
}

export function doubleField(field: number, value: number): Uint8Array {
  return join(tag(field, 1), littleEndian([value]));
}

export function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join(tag(field, 5), bytes);
}

/** A nested message, or bytes as they are. */
export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return join(tag(field, 2), varint(bytes.length), bytes);
}

export function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}

/** A packed list of doubles. */
export function doublesField(field: number, values: readonly number[]): Uint8Array {
  return bytesField(field, littleEndian(values));
}

function littleEndian(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setFloat64(8 * index, value, true);
  return bytes;
}

/** The first whole-number field of that number in a message; undefined when there is none, or the message is broken. */
export function findInteger(message: Uint8Array, wanted: number): number | undefined {
  let at = 0;
  const next = (): number => {
    let [value, scale] = [0, 1];
    for (; (message[at] ?? 0) >= 0x80; scale *= 0x80) value += ((message[at++] ?? 0) - 0x80) * scale;
    return value + (message[at++] ?? 0) * scale;
  };
  while (at < message.length) {
    const key = next();
    const [field, wireType] = [Math.floor(key / 8), key % 8];
    if (wireType === 0) {
      const value = next();
      if (field === wanted) return value;
    } else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = next();
      at += length;
    } else return undefined;
  }
  return undefined;
}
