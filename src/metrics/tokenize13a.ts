/** The tokenisation 13a of mteval-v13a, with which BLEU is published: punctuation and symbols become words of their own. */

import { words } from './ngrams.js';

const entities: readonly (readonly [RegExp, string])[] = [
  [/&quot;/g, '"'],
  [/&amp;/g, '&'],
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
];

const rules: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '], // symbols and punctuation but . , - and '
  [/([^0-9])([.,])/g, '$1 $2 '], // period and comma, unless a digit stands before
  [/([.,])([^0-9])/g, ' $1 $2'], // or behind
  [/([0-9])(-)/g, '$1 $2 '], // a dash behind a digit
];

/** Tokens of a segment, case kept. Source: sacreBLEU 2.6, tokenizers/tokenizer_13a.py and tokenizer_re.py. */
export function tokenize13a(segment: string): string[] {
  const joined = segment.trimEnd().replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  const plain = entities.reduce((text, [entity, character]) => text.replace(entity, character), joined);
  return words(rules.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), ` ${plain} `));
}
