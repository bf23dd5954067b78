import { describe, expect, it } from 'vitest';
import { escapeMarkup, jsonForScript } from './escape.js';
import { describedText, visibleText } from './visibleText.js';

describe('escapeMarkup', () => {
  it('leaves no tag, quote or entity of the text alive', () => {
    expect(escapeMarkup(`<script>alert("1 & '2'")</script>`)).toBe(
      '&lt;script&gt;alert(&quot;1 &amp; &#39;2&#39;&quot;)&lt;/script&gt;',
    );
  });

  it('replaces what XML forbids: NUL, escape, lone surrogates', () => {
    expect(escapeMarkup('a\u0000b\u001b[31mc\ud800d\udc00e\ud83d\ude00')).toBe(
      'a\ufffdb\ufffd[31mc\ufffdd\ufffde\ud83d\ude00',
    );
  });
});

describe('jsonForScript', () => {
  const hostile = { text: '</script><!-- & \u2028\u2029 \u0000', values: [1, Number.NaN, 0.5] };

  it('cannot end or comment out the script element', () => {
    expect(jsonForScript(hostile)).not.toMatch(/[<>&\u2028\u2029]/);
  });

  it('reads back as it was, NaN as null', () => {
    expect(JSON.parse(jsonForScript(hostile))).toEqual({ ...hostile, values: [1, null, 0.5] });
  });
});

describe('visibleText', () => {
  it.each([
    ['', '∅'],
    [' ', '␣'],
    [' the', '␣the'],
    ['a b', 'a b'],
    ['\n', '␊'],
    ['\u0000\u001b[1m', '␀␛[1m'],
    ['a\u202eb', 'a⟨U+202E⟩b'],
    ['\u200b', '⟨U+200B⟩'],
    ['\ud800', '⟨U+D800⟩'],
    ['é', 'é'],
    ['😀', '😀'],
  ])('shows %j as %s', (token, shown) => {
    expect(visibleText(token)).toBe(shown);
  });

  it('cuts a token of a million characters visibly and says how long it was', () => {
    const token = 'x'.repeat(1_048_576);
    expect(visibleText(token, 12)).toBe(`${'x'.repeat(12)}…`);
    expect(describedText(token, 12)).toBe(`${'x'.repeat(12)}… (1,048,576 characters)`);
    expect(describedText('short', 12)).toBe('short');
  });
});
