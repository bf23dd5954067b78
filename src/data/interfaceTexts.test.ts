import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { alignMessages, loadInterfaceTexts, undisguise } from './interfaceTexts.js';

const packs = new URL('../../node_modules/@codingame/', import.meta.url);

/** English by disguised text, from the pack itself: messages of extensions have their English as their name. */
function knownEnglish(): [disguised: string, english: string][] {
  const folder = new URL('monaco-vscode-language-pack-qps-ploc/translations/extensions/', packs);
  const bundles = readdirSync(folder).map((file) => {
    const { contents } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      contents: { bundle?: Record<string, string> };
    };
    return Object.entries(contents.bundle ?? {});
  });
  // What follows a slash may be a note to translators, so that the name is longer than the text.
  const same = bundles.flat().filter(([english, disguised]) => english.length === disguised.length);
  return same.map(([english, disguised]) => [disguised, english]);
}

describe('undisguise', () => {
  it('gives back the English of every message whose English is known', () => {
    const known = knownEnglish();
    expect(known.length).toBeGreaterThan(1800);
    for (const [disguised, english] of known) expect(undisguise(disguised)).toBe(english);
  });
});

describe('loadInterfaceTexts', () => {
  it.each(['es', 'de'] as const)('lines up English and %s', async (language) => {
    const { texts, untranslated } = await loadInterfaceTexts(language);
    expect(texts.length).toBeGreaterThan(11_000);
    expect(untranslated).toBeGreaterThan(100);
    expect(untranslated).toBeLessThan(1000);
    const known = new Map(texts.map(({ text, translations }) => [text, translations]));
    expect(known.get('Preserve Case')).toEqual([
      language === 'es' ? 'Conservar may/min' : 'Groß-/Kleinschreibung beibehalten',
    ]);
    expect(texts.filter(({ text }) => /\r|&&\p{L}/u.test(text))).toEqual([]);
    const placeholders = (text: string): string => (text.match(/\{\d\}/g) ?? []).sort().join();
    const agree = texts.filter(({ text, translations: [first = ''] }) => placeholders(text) === placeholders(first));
    expect(agree.length / texts.length).toBeGreaterThan(0.98); // lists of another version would agree by chance alone
  });
});

describe('loadInterfaceTexts without the packs', () => {
  it('says what to install', async () => {
    const missing = 'fr' as 'es'; // a pack that is not installed here
    const both = '@codingame/monaco-vscode-language-pack-fr @codingame/monaco-vscode-language-pack-qps-ploc';
    await expect(loadInterfaceTexts(missing)).rejects.toThrow(
      `loadInterfaceTexts: expected the package ${both.split(' ')[0]}, got none; install it with: npm i ${both}`,
    );
  });
});

describe('alignMessages', () => {
  it('gathers translations of one text, leaves out what is not translated, and counts it', () => {
    const english = [undefined, 'Close', '&&Close', 'OK', 'Open\r\nnow', 'Gone', ' '];
    const other = [undefined, 'Cerrar', '&&Cierre', 'OK', 'Abrir\r\nahora', undefined, 'x'];
    expect(alignMessages(english, other)).toEqual({
      texts: [
        { text: 'Close', translations: ['Cerrar', 'Cierre'] },
        { text: 'Open\nnow', translations: ['Abrir\nahora'] },
      ],
      untranslated: 2,
    });
  });

  it('refuses packs of different versions', () => {
    expect(() => alignMessages(['a', 'b'], ['c'])).toThrow(/one version, got 2 and 1 messages; install both/);
  });
});
