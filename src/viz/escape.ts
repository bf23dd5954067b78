/**
 * Makes any text inert inside HTML, SVG and inline JSON.
 *
 * Safety only: how odd characters are shown to people is visibleText.ts. Every attribute and text node of `viz/` goes
 * through here by way of markup.ts.
 */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// XML 1.0 §2.2 forbids these even as character references; HTML parsers complain about most of them.
const forbidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text that is safe between tags and inside quoted attributes of HTML and of XML; forbidden characters become U+FFFD. */
export function escapeMarkup(text: string): string {
  return text.replace(forbidden, '\ufffd').replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/**
 * JSON that can stand inside `<script type="application/json">`: no `<`, `>` or `&` remains, so neither `</script>` nor
 * `<!--` can appear; U+2028 and U+2029 are escaped too. NaN and infinities become null, as JSON has no word for them.
 */
export function jsonForScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
