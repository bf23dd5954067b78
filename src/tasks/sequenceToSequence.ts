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
import { Vocabulary } from '../data/vocabulary.js';
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
import { sequenceRates, teacherForced } from './sequenceFigures.js';
import type { Answer, AnswerOptions, Config, EvaluateOptions, OpenTask, Probe, Task } from './task.js';

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
  /** Names of the error rates: per symbol and per sequence. */
  readonly rates: { readonly symbol: string; readonly sequence: string };
  vocabularies(config: C): Vocabularies;
  load(config: C): Promise<{ readonly splits: SequenceSplits; readonly notices: readonly string[] }>;
  /** Symbols of an input. Errors: UsageError. */
  tokenise(input: string): readonly string[];
  join(symbols: readonly string[]): string;
}

/** A task from its definition. */
export function sequenceTask<C extends SequenceConfig>(definition: SequenceDefinition<C>): Task {
  const { name, summary, schema, presets, rates } = definition;
  return {
    name,
    summary,
    schema,
    presets: presets as Task['presets'],
    decides: { metric: rates.symbol, better: 'lower' },
    judgedOn: 'test',
    answerKeys: ['beams'],
    async open(config, stored) {
      const known = config as unknown as C;
      const { splits, notices } = await definition.load(known);
      const vocabularies = stored ? readVocabularies(stored) : definition.vocabularies(known);
      return new OpenSequenceTask(definition, known, vocabularies, splits, notices);
    },
    reopen: (config, stored) => new OpenSequenceTask(definition, config as unknown as C, readVocabularies(stored)),
  };
}

function readVocabularies({ source, target }: Config): Vocabularies {
  return { source: Vocabulary.fromJSON(source), target: Vocabulary.fromJSON(target) };
}

/** Examples whose attention is logged at every evaluation. */
const observed = 64;
const shownSamples = 5;

class OpenSequenceTask<C extends SequenceConfig> implements OpenTask<SequenceBatch> {
  readonly model: EncoderDecoder;
  readonly notices: readonly string[];
  readonly #definition: SequenceDefinition<C>;
  readonly #config: C;
  readonly #vocabularies: Vocabularies;
  readonly #splits: SequenceSplits | undefined;
  readonly #ownNotices: readonly string[];
  /** Right answers by input, made when first asked for. */
  #targets: ReadonlyMap<string, SequenceExample['targets']> | undefined;

  constructor(
    definition: SequenceDefinition<C>,
    config: C,
    vocabularies: Vocabularies,
    splits?: SequenceSplits,
    notices: readonly string[] = [],
  ) {
    this.#definition = definition;
    this.#config = config;
    this.#vocabularies = vocabularies;
    const fitted = splits && fitLength(splits, config.maxLength);
    this.#splits = fitted?.splits;
    this.#ownNotices = notices;
    this.notices = [...notices, ...(fitted?.notices ?? [])];
    const sizes = { sourceVocabulary: vocabularies.source.size, targetVocabulary: vocabularies.target.size };
    this.model = new EncoderDecoder({ ...config, ...sizes }, new RandomStream(config.seed).fork('model'));
  }

  get vocabularies(): Config {
    return { source: this.#vocabularies.source.toJSON(), target: this.#vocabularies.target.toJSON() };
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
    return new OpenSequenceTask(this.#definition, config, this.#vocabularies, this.#splits, this.#ownNotices);
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
    const { symbol, sequence } = sequenceRates(examples, predictions);
    return { ...forced, [this.#definition.rates.symbol]: symbol, [this.#definition.rates.sequence]: sequence };
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
    const source = this.#read(input);
    const [best] = this.#decode([source], beams) as [Decoded];
    const output = this.#vocabularies.target.decode(best.tokens);
    return {
      input,
      output: this.#definition.join(output),
      logProbability: best.logProbability,
      references: this.#references(input).map((target) => this.#definition.join(target)),
      pictures: attention ? this.#pictures(source, output) : [],
    };
  }

  answers(inputs: readonly string[], { beams = 1 }: AnswerOptions = {}): readonly string[] {
    const decoded = this.#decode(
      inputs.map((input) => this.#read(input)),
      beams,
    );
    return decoded.map(({ tokens }) => this.#definition.join(this.#vocabularies.target.decode(tokens)));
  }

  #examples(split: Split): readonly SequenceExample[] {
    if (!this.#splits)
      throw new StateError(`${this.#definition.name}: expected the data, got a model opened without it`);
    return this.#splits[split];
  }

  #references(input: string): readonly (readonly string[])[] {
    this.#targets ??= new Map(Object.values(this.#splits ?? {}).flatMap((part) => part.map(byInput)));
    return this.#targets.get(input) ?? [];
  }

  #read(input: string): readonly string[] {
    const symbols = this.#definition.tokenise(input);
    const longest = this.#config.maxLength - 1;
    if (symbols.length <= longest) return symbols;
    const { name, axes } = this.#definition;
    throw new UsageError(
      `${name}: expected at most ${longest} ${axes.input}, got ${symbols.length}; the model was built with maxLength=${longest + 1}`,
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
    const [letters, next, past] = [
      [...source, symbol(eos)],
      [...output, symbol(eos)],
      [symbol(bos), ...output],
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
