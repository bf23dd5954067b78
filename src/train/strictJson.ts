/**
 * JSON as a file format needs it: valid UTF-8 without a byte order mark, no name twice in one object, and no
 * `__proto__`. `JSON.parse` alone would repair, overwrite or misfile these in silence.
 */

import { FormatError } from '../core/errors.js';

/** Parses UTF-8 JSON; throws FormatError naming `what` when it is not strictly that. */
export function parseStrictJson(bytes: Uint8Array, what: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    checkNames(text);
    return value;
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 160);
    throw new FormatError(`parseStrictJson: expected ${what} to be strict JSON; ${reason}`, { cause: error });
  }
}

/** Walks the brackets and names of a text that is known to be JSON, with one set of names for each open object. */
function checkNames(text: string): void {
  const open: Set<string>[] = [];
  for (const [, bracket, string, colon] of text.matchAll(/([{}[\]])|("(?:[^"\\]|\\.)*")(\s*:)?/g)) {
    if (bracket === '{' || bracket === '[') open.push(new Set());
    else if (bracket !== undefined) open.pop();
    else if (string !== undefined && colon !== undefined) addName(open.at(-1), JSON.parse(string));
  }
}

function addName(names: Set<string> | undefined, name: string): void {
  if (name === '__proto__') throw new Error('__proto__ is not a permitted name');
  if (names?.has(name)) throw new Error(`the name ${JSON.stringify(name)} comes twice`);
  names?.add(name);
}
