/**
 * Shows any token to people: control, invisible and direction-changing characters become visible symbols, and long
 * text is cut visibly. The result is still plain text; escape.ts makes it safe for markup.
 */

/** Code points that draw nothing or reorder their neighbours: separators, formats, unassigned, private, lone surrogates. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** One code point as people should see it. Control characters use Unicode's control pictures (U+2400 block). */
function visibleCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  if (code === 0xa0) return '\u237d';
  return invisible.test(character) ? `\u27e8U+${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9` : character;
}

/** The first `limit` code points of `text`, without walking through the rest of it. */
function firstCharacters(text: string, limit: number): string[] {
  return Array.from(text.slice(0, 2 * limit)).slice(0, limit);
}

/**
 * `text` with every invisible character shown and at most `limit` of its characters; what was cut is marked by `…`.
 * Empty text shows as `∅`, spaces of an all-space token and at either end as `␣`.
 */
export function visibleText(text: string, limit = 80): string {
  if (text === '') return '\u2205';
  const characters = firstCharacters(text, limit);
  const shown = characters.map(visibleCharacter).join('');
  const cut = characters.join('').length < text.length;
  const ends = shown.replace(/^ +| +$/g, (spaces) => '\u2423'.repeat(spaces.length));
  return cut ? `${ends}\u2026` : ends;
}

/** Like visibleText, and says how long a cut text was: `aaaa… (1,048,576 characters)`. */
export function describedText(text: string, limit = 80): string {
  const shown = visibleText(text, limit);
  const cut = firstCharacters(text, limit).join('').length < text.length;
  return cut ? `${shown} (${text.length.toLocaleString('en-US')} characters)` : shown;
}
