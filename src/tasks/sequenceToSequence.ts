/**
 * Every task that turns one sequence of symbols into another: encoder–decoder model, loss, decoding and metrics. A task
 * of this kind only says what its symbols are and where its examples come from; see g2p.ts.
 */

import type { z } from 'zod';
import type { RecordOptions } from '../attention/options.js';
import { StateError, UsageError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import type { AttentionPicture, CapturedAttention } from '../core/records.js';
import type { Cursor } from '../data/batching.js';
import type { Split } from '../data/split.js';
import { type Decoded, decode } from '../models/decode.js';
import { EncoderDecoder, type EncoderDecoderOptions } from '../models/encoderDecoder.js';
import { capture } from '../nn/capture.js';
import { type Context, inference } from '../nn/context.js';
import { crossEntropy } from '../tensor/crossEntropy.js';
import { affine } from '../tensor/elementwise.js';
import { noGrad } from '../tensor/recording.js';
import { sum } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { BatchLoss } from '../train/step.js';
import { delimitersIn } from './delimiters.js';
import { examine } from './examine.js';
import { picturesOf } from './pictures.js';
import {
  encodeSource,
  expectedIn,
  fitLength,
  keysOf,
  type SequenceBatch,
  type SequenceExample,
  SequencePairs,
  type SequenceSplits,
  sampleExamples,
  tokenBatch,
  type Vocabularies,
} from './sequenceData.js';
import { teacherForced } from './sequenceFigures.js';
import { type Baseline, baselineTable, type Score } from './sequenceScores.js';
import type { SequenceText } from './sequenceText.js';
import type { Answer, AnswerOptions, Config, EvaluateOptions, FigureTable, OpenTask, Probe, Task } from './task.js';

/** Keys that a sequence-to-sequence configuration has at least. */
export interface SequenceConfig extends Omit<EncoderDecoderOptions, 'sourceVocabulary' | 'targetVocabulary'> {
  readonly seed: number;
  readonly batchTokens: number;
  readonly labelSmoothing: number;
}

/** What makes a sequence-to-sequence task. */
export interface SequenceDefinition<C extends SequenceConfig> {
  readonly name: string;
  readonly summary: string;
  readonly schema: z.ZodObject;
  readonly presets: Readonly<Record<string, Partial<C>>>;
  readonly axes: OpenTask['axes'];
  readonly decides: Task['decides'];
  /** Figures of written texts against the right ones. */
  readonly score: Score;
  /** Answers that need no model, to be scored beside it. */
  baselines?(splits: SequenceSplits, text: SequenceText): readonly Baseline[];
  /** What an input longer than the model holds is: refused (default), or cut, which is counted. */
  readonly longInputs?: 'refuse' | 'cut';
  /** The data; of an earlier run, with the symbols that it stored. */
  load(config: C, stored?: Config): Promise<LoadedSequences & { readonly notices: readonly string[] }>;
  /** The symbols that a run stored, without data. */
  reopen(config: C, stored: Config): SequenceText;
}

/** Symbols, and the examples in them where there is data. */
interface LoadedSequences {
  readonly text: SequenceText;
  readonly splits: SequenceSplits;
}

/** A task from its definition. */
export function sequenceTask<C extends SequenceConfig>(definition: SequenceDefinition<C>): Task {
  const { name, summary, schema, presets, decides } = definition;
  return {
    name,
    summary,
    schema,
    presets: presets as Task['presets'],
    decides,
    judgedOn: 'test',
    answerKeys: ['beams'],
    async open(config, stored) {
      const known = config as unknown as C;
      const { text, splits, notices } = await definition.load(known, stored);
      return new OpenSequenceTask(definition, known, text, splits, notices);
    },
    reopen(config, stored) {
      const known = config as unknown as C;
      return new OpenSequenceTask(definition, known, definition.reopen(known, stored));
    },
  };
}

/** Examples whose attention is logged at every evaluation. */
const observed = 64;
const shownSamples = 5;

class OpenSequenceTask<C extends SequenceConfig> implements OpenTask<SequenceBatch> {
  readonly model: EncoderDecoder;
  readonly notices: readonly string[];
  readonly #definition: SequenceDefinition<C>;
  readonly #config: C;
  readonly #text: SequenceText;
  readonly #vocabularies: Vocabularies;
  readonly #splits: SequenceSplits | undefined;
  readonly #ownNotices: readonly string[];
  /** Right answers by input, made when first asked for. */
  #targets: ReadonlyMap<string, SequenceExample['targets']> | undefined;

  constructor(
    definition: SequenceDefinition<C>,
    config: C,
    text: SequenceText,
    splits?: SequenceSplits,
    notices: readonly string[] = [],
  ) {
    this.#definition = definition;
    this.#config = config;
    this.#text = text;
    this.#vocabularies = text.vocabularies;
    const fitted = splits && fitLength(splits, config.maxLength, definition.longInputs);
    this.#splits = fitted?.splits;
    this.#ownNotices = notices;
    this.notices = [...notices, ...(fitted?.notices ?? [])];
    const { source, target } = text.vocabularies;
    const sizes = { sourceVocabulary: source.size, targetVocabulary: target.size };
    this.model = new EncoderDecoder({ ...config, ...sizes }, new RandomStream(config.seed).fork('model'));
  }

  get vocabularies(): Config {
    return this.#text.stored;
  }

  get axes(): OpenTask['axes'] {
    return this.#definition.axes;
  }

  get samples(): readonly string[] {
    return this.inputs('test', shownSamples);
  }

  inputs(split: Split, count: number): readonly string[] {
    return sampleExamples(this.#examples(split), count, inputOf).map(({ input }) => input);
  }

  batches(from: Cursor): Iterator<{ readonly batch: SequenceBatch; readonly next: Cursor }> {
    const { batchTokens, seed } = this.#config;
    return new SequencePairs(this.#examples('train'), this.#vocabularies).batches(from, batchTokens, seed);
  }

  rebuild(changes: Config = {}): OpenTask<SequenceBatch> {
    const config = { ...this.#config, ...changes };
    return new OpenSequenceTask(this.#definition, config, this.#text, this.#splits, this.#ownNotices);
  }

  loss(batch: SequenceBatch, context: Context): BatchLoss {
    const logits = this.model.forward(batch.source, batch.input, context); // [B, L, V]
    const { pad } = this.#vocabularies.target;
    const losses = crossEntropy(logits, batch.labels, {
      smoothing: this.#config.labelSmoothing,
      ignore: pad,
    }); // [B, L]
    return { loss: affine(sum(losses), 1 / batch.tokens, 0), tokens: batch.tokens };
  }

  evaluate(split: Split, { sample, beams = 1 }: EvaluateOptions = {}): Record<string, number> {
    const examples = sampleExamples(this.#examples(split), sample, inputOf);
    const pairs = new SequencePairs(examples, this.#vocabularies).once(this.#config.batchTokens);
    const forced = teacherForced(this.model, pairs, this.#vocabularies.target.pad);
    const predictions = this.#predict(
      examples.map(({ source }) => source),
      beams,
    );
    const scored = examples.map((example, index) => ({
      predicted: this.#text.join(predictions[index] ?? []),
      references: this.#answersOf(example),
    }));
    return { ...forced, ...this.#definition.score(scored) };
  }

  tables(split: Split): readonly FigureTable[] {
    const known = this.#examples(split).map((example) => ({
      input: example.input,
      references: this.#answersOf(example),
    }));
    const baselines = this.#splits && this.#definition.baselines?.(this.#splits, this.#text);
    return baselines ? [baselineTable(baselines, this.#definition.score, known)] : [];
  }

  observe(): readonly CapturedAttention[] {
    return examine(this.model, this.probes('validation', observed)).captured;
  }

  *probes(split: Split, count: number): Generator<() => Probe> {
    const { bos, eos } = this.#vocabularies.source; // the same ids in both vocabularies
    const pairs = new SequencePairs(sampleExamples(this.#examples(split), count, inputOf), this.#vocabularies);
    for (const next of pairs.once(this.#config.batchTokens)) {
      yield () => {
        const batch = next();
        return {
          examples: batch.source.lengths.length,
          forward: (context) => this.loss(batch, context),
          expected: (path) => expectedIn(path, batch),
          delimiters: (path) => delimitersIn(keysOf(path, batch), (id) => id === bos || id === eos),
        };
      };
    }
  }

  answer(input: string, { beams = 1, attention = false }: AnswerOptions = {}): Answer {
    const { source, notes } = this.#read(input);
    const [best] = this.#decode([source], beams) as [Decoded];
    const output = this.#vocabularies.target.decode(best.tokens);
    return {
      input,
      output: this.#text.join(output),
      logProbability: best.logProbability,
      references: this.#references(input),
      ...(notes && { notes }),
      pictures: attention ? this.#pictures(source, output) : [],
    };
  }

  answers(inputs: readonly string[], { beams = 1 }: AnswerOptions = {}): readonly string[] {
    const decoded = this.#decode(
      inputs.map((input) => this.#read(input).source),
      beams,
    );
    return decoded.map(({ tokens }) => this.#text.join(this.#vocabularies.target.decode(tokens)));
  }

  #examples(split: Split): readonly SequenceExample[] {
    if (!this.#splits)
      throw new StateError(`${this.#definition.name}: expected the data, got a model opened without it`);
    return this.#splits[split];
  }

  #references(input: string): readonly string[] {
    this.#targets ??= new Map(Object.values(this.#splits ?? {}).flatMap((part) => part.map(byInput)));
    return (this.#targets.get(input) ?? []).map((target) => this.#text.join(target));
  }

  #answersOf({ targets }: SequenceExample): readonly string[] {
    return targets.map((target) => this.#text.join(target));
  }

  #read(input: string): { readonly source: readonly string[]; readonly notes?: readonly string[] } {
    const source = this.#text.tokenise(input);
    const longest = this.#config.maxLength - 1;
    if (source.length <= longest) return { source };
    const { name, axes, longInputs } = this.#definition;
    if (longInputs === 'cut') {
      const note = `only the first ${longest} of ${source.length} tokens were read (maxLength=${longest + 1})`;
      return { source: source.slice(0, longest), notes: [note] };
    }
    throw new UsageError(
      `${name}: expected at most ${longest} ${axes.input}, got ${source.length}; the model was built with maxLength=${longest + 1}`,
    );
  }

  /** Symbols predicted for each source, decoded in batches of similar length. */
  #predict(sources: readonly (readonly string[])[], beams: number): string[][] {
    const order = [...sources.keys()].sort((a, b) => (sources[a]?.length ?? 0) - (sources[b]?.length ?? 0));
    const predictions: string[][] = Array(sources.length);
    const rows = Math.max(1, Math.floor(256 / beams));
    for (let start = 0; start < order.length; start += rows) {
      const chosen = order.slice(start, start + rows);
      const decoded = this.#decode(
        chosen.map((index) => sources[index] as readonly string[]),
        beams,
      );
      chosen.forEach((index, row) => {
        predictions[index] = this.#vocabularies.target.decode(decoded[row]?.tokens ?? []);
      });
    }
    return predictions;
  }

  #decode(sources: readonly (readonly string[])[], beams: number): Decoded[] {
    const { bos, eos } = this.#vocabularies.target;
    const ids = sources.map((source) => encodeSource(source, this.#vocabularies));
    const room = this.#config.maxLength - 1; // one place is taken by the token that begins
    const maxLength = Math.min(room, 2 * Math.max(...ids.map(({ length }) => length)) + 8);
    return scope(() => decode(this.model, tokenBatch(ids), inference(), { begin: bos, end: eos, maxLength, beams }));
  }

  /** What attention does while the model reads `source` and writes `output`, the ending included. */
  #capture(source: readonly string[], output: readonly string[], record: RecordOptions): CapturedAttention[] {
    const { bos } = this.#vocabularies.target;
    const written = [bos, ...this.#vocabularies.target.encode(output)];
    return noGrad(() =>
      scope(() => {
        const read = tokenBatch([encodeSource(source, this.#vocabularies)]);
        const run = (context: Context): unknown => this.model.forward(read, tokenBatch([written]).ids, context);
        return capture(this.model, { record }, run);
      }),
    );
  }

  /** Every head's weights: one row a letter read or a sound written. */
  #pictures(source: readonly string[], output: readonly string[]): AttentionPicture[] {
    const { bos, eos } = this.#vocabularies.target;
    const symbol = (id: number): string => this.#vocabularies.target.symbol(id);
    const shown = (symbols: readonly string[]): string[] => symbols.map((each) => this.#text.shown(each));
    const [letters, next, past] = [
      [...shown(source), symbol(eos)],
      [...shown(output), symbol(eos)],
      [symbol(bos), ...shown(output)],
    ];
    return this.#capture(source, output, { rows: 'all' }).flatMap((call) => {
      if (call.kind === 'cross') return picturesOf(call, { rows: next, columns: letters });
      if (call.path.startsWith('encoder.')) return picturesOf(call, { rows: letters, columns: letters });
      return picturesOf(call, { rows: next, columns: past, causal: true });
    });
  }
}

function inputOf({ input }: SequenceExample): string {
  return input;
}

function byInput({ input, targets }: SequenceExample): [string, SequenceExample['targets']] {
  return [input, targets];
}
