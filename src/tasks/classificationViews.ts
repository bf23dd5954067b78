/** What a text classifier looked at: its weights as pictures, word by word or by sentence, and against what was needed. */

import type { RecordOptions } from '../attention/options.js';
import type { AttentionPicture, CapturedAttention } from '../core/records.js';
import { sentenceSpans } from '../data/words.js';
import { RunningMean } from '../metrics/runningMean.js';
import type { TextClassifier } from '../models/textClassifier.js';
import { capture } from '../nn/capture.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { type ClassVocabularies, sourceOf, type TextExample } from './classificationData.js';
import { picturesOf } from './pictures.js';
import { bySentence, type Span, sentenceShares, supportRecall, wordShares } from './sentenceAttention.js';
import type { FigureTable } from './task.js';

/** A model, and what its ids mean. */
export interface Reader {
  readonly model: TextClassifier;
  readonly vocabularies: ClassVocabularies;
}

/** What attention does with one text. */
export function captureText(reader: Reader, ids: ArrayLike<number>, record: RecordOptions): CapturedAttention[] {
  const { model, vocabularies } = reader;
  return noGrad(() =>
    scope(() => capture(model, { record }, (context) => model.forward(sourceOf([ids], vocabularies), context))),
  );
}

/** Words that a picture shows one by one; of longer texts it shows sentences. */
const picturedWords = 24;

/** Every head's weights; `words` are those that were read, without `<eos>`. */
export function textPictures(
  reader: Reader,
  ids: ArrayLike<number>,
  words: readonly string[],
): readonly AttentionPicture[] {
  const symbols = [...words, '<eos>'];
  const pictures = captureText(reader, ids, { rows: 'all' }).flatMap((call) =>
    picturesOf(call, { rows: call.kind === 'cross' ? ['text'] : symbols, columns: symbols }),
  );
  if (symbols.length <= picturedWords) return pictures;
  const spans: Span[] = [...sentenceSpans(words), [words.length, words.length + 1]];
  const names = spans.map(([begin, end]) => symbols.slice(begin, end).join(' '));
  return pictures.map((picture) => bySentence(picture, spans, names));
}

/**
 * How many of the needed sentences are among as many that were looked at most, and what chance would give; by kind of
 * text. Undefined when nothing is known to be needed or the model has no weights.
 */
export function supportTable(
  reader: Reader,
  examples: readonly TextExample[],
  split: (text: string) => readonly string[],
): FigureTable | undefined {
  const found = new Map<string, { readonly looked: RunningMean; readonly chance: RunningMean }>();
  for (const { ids, text, support, groups = {} } of examples) {
    if (support === undefined || support.length === 0) continue;
    const words = split(text).slice(0, ids.length - 1);
    const spans = sentenceSpans(words);
    const shares = wordShares(captureText(reader, ids, { rows: 'all' }), ids.length);
    if (shares === undefined) return undefined;
    const story = spans.slice(0, -1); // the last sentence is the question
    const kind = String(Object.values(groups)[0] ?? 'all');
    const means = found.get(kind) ?? { looked: new RunningMean(), chance: new RunningMean() };
    means.looked.add(supportRecall(sentenceShares(shares, story), support));
    means.chance.add(support.length / story.length);
    found.set(kind, means);
  }
  if (found.size === 0) return undefined;
  const rows = [...found]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([kind, { looked, chance }]) => [kind, looked.value, chance.value]);
  return { title: 'Needed sentences among those looked at most', columns: ['kind', 'found', 'by chance'], rows };
}
