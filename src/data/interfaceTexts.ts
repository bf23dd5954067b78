/**
 * Interface texts of VS Code in English and in another language, from the npm packages of its language packs, optional
 * peers that are loaded only when asked for. The packs hold no English: it is read from the pack for testing.
 */

import { FormatError, StateError } from '../core/errors.js';

const packOf = (language: string): string => `@codingame/monaco-vscode-language-pack-${language}`;

/** The pack whose texts are the English ones with 22 letters replaced, so that testers see what is not translated. */
const disguised = 'qps-ploc';

/** Each letter of the disguise and the English one behind it. */
const letters = new Map(
  'ÆA ßB ÇC ÐD ËE ÏI £L ÑN ØO §S ÜU ÝY æa þb çc ðd ëe ïi ñn øo µu ÿy'
    .split(' ')
    .map(([shown = '', plain = '']) => [shown, plain]),
);

/** An English text and its translations, no two alike: the same words may be translated in several ways. */
export interface Translation {
  readonly text: string;
  readonly translations: readonly string[];
}

export interface InterfaceTexts {
  /** In the order of the pack. */
  readonly texts: readonly Translation[];
  /** Messages that the language pack leaves as they are in English, or does not have. */
  readonly untranslated: number;
}

/**
 * Loads two packs and lines them up by the number of the message. Line ends are `\n`; marks of keyboard shortcuts (`&&`
 * before a letter) are left out; messages that are the same in both languages are counted and left out.
 *
 * Errors: StateError with the command to install the packages when one is missing; FormatError when they are no lists of
 * messages of the same version.
 */
export async function loadInterfaceTexts(language: 'es' | 'de'): Promise<InterfaceTexts> {
  const [english, other] = await Promise.all([loadPack(disguised, language), loadPack(language, language)]);
  return alignMessages(english.map(undisguise), other);
}

/** Pairs of messages with the same number. Errors: FormatError for lists of different lengths. */
export function alignMessages(
  english: readonly (string | undefined)[],
  other: readonly (string | undefined)[],
): InterfaceTexts {
  if (english.length !== other.length)
    throw new FormatError(
      `alignMessages: expected language packs of one version, got ${english.length} and ${other.length} messages; install both with one npm i`,
    );
  const texts = new Map<string, Set<string>>();
  let untranslated = 0;
  for (const [index, message] of english.entries()) {
    const [text, translation] = [tidy(message), tidy(other[index])];
    if (text === '') continue;
    if (translation === '' || translation === text) untranslated++;
    else texts.set(text, (texts.get(text) ?? new Set()).add(translation));
  }
  return { texts: Array.from(texts, ([text, found]) => ({ text, translations: [...found] })), untranslated };
}

/** The English text behind a disguised one. */
export function undisguise(message: string | undefined): string | undefined {
  return message && Array.from(message, (letter) => letters.get(letter) ?? letter).join('');
}

function tidy(message = ''): string {
  return message
    .replaceAll('\r\n', '\n')
    .replace(/&&(?=\p{L})/gu, '')
    .trim();
}

async function loadPack(pack: string, language: string): Promise<readonly (string | undefined)[]> {
  // The name is put together here, for nothing in the package declares this file's type.
  const path = `${packOf(pack)}/translations/main.i18n.json.js`;
  const { default: messages }: { default?: unknown } = await import(/* @vite-ignore */ path).catch((error: unknown) => {
    const both = `${packOf(language)} ${packOf(disguised)}`;
    throw new StateError(
      `loadInterfaceTexts: expected the package ${packOf(pack)}, got none; install it with: npm i ${both}`,
      { package: packOf(pack), reason: String(error) },
    );
  });
  if (isMessages(messages)) return messages;
  throw new FormatError(`loadInterfaceTexts: expected a list of texts in ${path}, got ${typeof messages}`);
}

function isMessages(value: unknown): value is readonly (string | undefined)[] {
  return Array.isArray(value) && value.every((message) => message === undefined || typeof message === 'string');
}
