/**
 * Numbers for a page's script, as base64. Weights take three bytes each, the upper three of float32: four characters a
 * weight, relative error at most 2^-17, below what any picture shows. Read by decodeFloats of client/shared.ts.
 */

/** Bytes that `String.fromCharCode` takes at once without exhausting the stack. */
const chunk = 8192;

/** `bytes` of each number, from the most significant on. */
export function encodeFloats(values: ArrayLike<number>, bytes: 3 | 4 = 4): string {
  const all = new Uint8Array(bytes * values.length);
  const view = new DataView(new ArrayBuffer(4));
  for (let at = 0; at < values.length; at++) {
    setRounded(view, values[at] ?? Number.NaN, bytes);
    for (let byte = 0; byte < bytes; byte++) all[bytes * at + byte] = view.getUint8(byte);
  }
  let binary = '';
  for (let at = 0; at < all.length; at += chunk) binary += String.fromCharCode(...all.subarray(at, at + chunk));
  return btoa(binary);
}

/** The weight that a page has: what three bytes hold of it. */
export function storedWeight(weight: number): number {
  const view = new DataView(new ArrayBuffer(4));
  setRounded(view, weight, 3);
  return view.getFloat32(0);
}

/** Writes float32; with three bytes the fourth is rounded into them and 0. */
function setRounded(view: DataView, value: number, bytes: 3 | 4): void {
  view.setFloat32(0, value);
  if (bytes === 3) view.setUint32(0, Math.floor((view.getUint32(0) + 0x80) / 0x100) * 0x100);
}
