/**
 * The command line on the task novel: configuration files, streaming, fine-tuning, the rate finder, refusals. One tiny
 * model of a tiny text is trained first.
 */

import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, keyholeIn, main, newFolder, type Outcome } from './program.js';

let folder = '';

const keyhole = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Outcome =>
  keyholeIn(folder, args, { environment });

const read = (path: string): Record<string, never> => JSON.parse(readFileSync(join(folder, path), 'utf8'));
const steps = (run: string): string[] =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('loss'))
    .map((line) => line.replace(/"wallTimeMs":\d+/, ''));

const tiny = `# a tiny model
data: text.txt
layers: 1
heads: 2
width: 16
hidden: 16
context: 8
batchTokens: 64
steps: 6
warmupSteps: 2
evaluateEvery: 3
answerTokens: 12
`;

let trained: Outcome;

beforeAll(() => {
  folder = newFolder('novel-cli');
  writeFileSync(join(folder, 'text.txt'), 'the whale and the sea; call me Ishmael.\n'.repeat(250));
  writeFileSync(join(folder, 'tiny.yaml'), tiny);
  trained = keyhole(['train', 'novel', '--config', 'tiny.yaml', '--run', 'first', '--json']);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('train novel', () => {
  it('ends with the figures of a language model', () => {
    const result = json(trained);
    expect(result).toMatchObject({ status: 'finished', steps: 6 });
    for (const name of ['validationLoss', 'perplexity', 'bitsPerCharacter', 'tokensPerSecond', 'seconds'])
      expect(result[name], name).toBeGreaterThan(0);
    expect(result.perplexity).toBeCloseTo(Math.exp(Number(result.validationLoss)), 6);
    expect(trained.err).toMatch(/memory [\d.]+ MB \(weights/);
  });

  it('keeps the complete configuration, from which the run can be repeated', () => {
    const { configuration } = read('first/run.json');
    expect(configuration).toMatchObject({
      width: 16,
      schedule: 'cosine',
      optimiser: 'adamw',
      freeze: [],
      badBatch: 'stop',
    });
    expect(keyhole(['train', 'novel', '--config', 'first/run.json', '--run', 'again']).code).toBe(0);
    expect(read('again/run.json').configuration).toEqual(configuration);
    expect(steps('again')).toEqual(steps('first'));
  }, 60_000);

  it('starts from another run, with its tokens, and says what does not fit', () => {
    const wider = ['--set', 'hidden=32', 'freeze=embedding,positions', 'steps=3'];
    const { code, out } = keyhole([
      'train',
      'novel',
      '--config',
      'tiny.yaml',
      ...wider,
      '--from',
      'first',
      '--run',
      'tuned',
    ]);
    expect(out).toMatch(/not in first, so they start anew: blocks.0.feedForward.expand.weight/);
    expect(code).toBe(0);
    expect(read('tuned/run.json').from).toBe(join(folder, 'first'));
    writeFileSync(join(folder, 'other.txt'), 'XYZ'.repeat(100));
    const other = keyhole(['train', 'novel', '--config', 'tiny.yaml', '--set', 'data=other.txt', '--from', 'first']);
    expect(other).toMatchObject({ code: 2, err: expect.stringContaining('got "X"') });
  }, 60_000);

  it('writes tokenizer.json for pieces of words, which other programs read', () => {
    const bpe = ['--set', 'tokens=bpe', 'vocabularySize=280', 'steps=2', '--run', 'pieces'];
    expect(keyhole(['train', 'novel', '--config', 'tiny.yaml', ...bpe]).code).toBe(0);
    const tokenizer = new Tokenizer(read('pieces/tokenizer.json'), {});
    const { ids } = tokenizer.encode('the whale');
    expect(ids.length).toBeLessThan(6);
    expect(tokenizer.decode(ids)).toBe('the whale');
    expect(keyhole(['run', 'pieces', '--text', 'never seen: Ω']).code).toBe(0);
  }, 60_000);

  it('sweeps the rate instead, and draws it', () => {
    const result = json(keyhole(['train', 'novel', '--config', 'tiny.yaml', '--find-rate', '--json']));
    expect(result.learningRate).toBeGreaterThan(0);
    expect(readFileSync(join(folder, String(result.curve)), 'utf8')).toContain('<svg');
  }, 60_000);
});

describe('runs of another version', () => {
  const changed = (name: string, change: (record: Record<string, Record<string, unknown>>) => void): Outcome => {
    cpSync(join(folder, 'first'), join(folder, name), { recursive: true });
    const record = read(`${name}/run.json`);
    change(record);
    writeFileSync(join(folder, name, 'run.json'), JSON.stringify(record));
    return keyhole(['run', name, '--text', 'the']);
  };

  it('are refused by name: a key, a vocabulary, a checkpoint', () => {
    const key = changed('newer-key', ({ configuration = {} }) => Object.assign(configuration, { rotary: true }));
    expect(key).toMatchObject({ code: 2, err: expect.stringContaining('no key rotary') });
    const vocabulary = changed('newer-ids', ({ vocabularies = {} }) =>
      Object.assign(vocabularies.tokenizer as object, { format: 2 }),
    );
    expect(vocabulary).toMatchObject({ code: 1, err: expect.stringContaining('version of Keyhole') });
    const wider = changed('wider', ({ configuration = {} }) => Object.assign(configuration, { width: 32 }));
    expect(wider).toMatchObject({ code: 1, err: expect.stringContaining('another configuration') });
    for (const { err } of [key, vocabulary, wider]) expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
  }, 30_000);
});

describe('eval novel', () => {
  it('judges on the held-out part, measures batches, renews the report, and leaves validation to the log', () => {
    const logged = (): Record<string, number> => {
      const [found] = json(keyhole(['runs', '--json'])).runs as { run: string; kpis: Record<string, number> }[];
      return found?.kpis ?? {};
    };
    cpSync(join(folder, 'first'), join(folder, 'runs', 'judged'), { recursive: true });
    const before = logged();
    const result = json(keyhole(['eval', 'runs/judged', '--json']));
    expect(result).toMatchObject({ split: 'validation', steps: expect.any(Number) });
    expect(result.perplexity).toBeCloseTo(Math.exp(Number(result.loss)), 6);
    expect((result.throughput as { batch: number }[]).map(({ batch }) => batch)).toEqual([1, 4, 16]);
    expect(readFileSync(join(folder, 'runs/judged/report.html'), 'utf8')).toContain('model just opened');
    const file = 'runs/judged/evaluation-validation.json';
    const figures = { ...(read(file).figures ?? {}), 'validation/loss': 99 }; // as if the sample were unlike the whole
    writeFileSync(join(folder, file), JSON.stringify({ ...read(file), figures }));
    const { 'validation/loss': loss, 'inference/inputsPerSecond': speed } = logged();
    expect(before['validation/loss']).toBe(loss);
    expect([before['inference/inputsPerSecond'], speed]).toEqual([undefined, expect.any(Number)]);
  }, 60_000);

  it('keeps the tokens of the run it started from, on another text', () => {
    writeFileSync(join(folder, 'ships.txt'), 'call me; the sea calls the whale.\n'.repeat(250));
    const bpe = ['--set', 'tokens=bpe', 'vocabularySize=280', 'steps=2', 'evaluateEvery=1'];
    const train = (...more: string[]) => keyhole(['train', 'novel', '--config', 'tiny.yaml', ...bpe, ...more]);
    expect(train('--run', 'old').code).toBe(0);
    const { validationLoss } = json(train('data=ships.txt', '--from', 'old', '--run', 'new', '--json'));
    expect(json(keyhole(['eval', 'new', '--json'])).loss).toBe(validationLoss);
  }, 60_000);
});

describe('sinks', () => {
  const train = (run: string, sinks: string, ...more: string[]): Outcome =>
    keyhole(['train', 'novel', '--config', 'tiny.yaml', '--set', `sinks=${sinks}`, '--run', run, ...more]);
  const eventFiles = (run: string): number =>
    readdirSync(join(folder, run)).filter((name) => name.startsWith('events.')).length;

  it('are switched on from the command line, all of them, and off', () => {
    const { out, code } = train('every', 'tensorboard,console,prometheus');
    expect(code).toBe(0);
    expect(out).toMatch(/^step 6 {2}validation {2}loss [\d.]+ nats {2}perplexity/m);
    const text = readFileSync(join(folder, 'every/metrics.prom'), 'utf8');
    expect(text).toMatch(/^keyhole_validation_loss\{run="every",task="novel"\} [\d.]+$/m);
    expect(text).toMatch(/^keyhole_step\{run="every",task="novel"\} 6$/m);
    expect(text).toContain('keyhole_inference_latency_p50_ms'); // written after the training as well
    expect(eventFiles('every')).toBeGreaterThan(0);

    expect(train('silent', '[]').code).toBe(0);
    expect([eventFiles('silent'), existsSync(join(folder, 'silent/metrics.prom'))]).toEqual([0, false]);
    expect(steps('silent')).toEqual(steps('every')); // metrics.jsonl is the memory of a run, whatever else there is
  }, 30_000);

  it('go on with a resumed run, and are refused by name', () => {
    rmSync(join(folder, 'every/metrics.prom'));
    const { out } = keyhole(['train', 'novel', '--resume', '--run', 'every', '--json']);
    expect(JSON.parse(out)).toMatchObject({ status: 'finished', steps: 6 });
    expect(JSON.parse(out).tokensPerSecond).toBeGreaterThan(0); // of the training, though nothing was left to train
    expect(read('every/run.json').configuration).toMatchObject({ sinks: ['tensorboard', 'console', 'prometheus'] });
    expect(train('wrong', 'tensorbord')).toMatchObject({ code: 2, err: expect.stringContaining('"tensorboard"') });
  }, 30_000);
});

describe('run novel', () => {
  it('writes on, with other keys of the answer', () => {
    const { out, code } = keyhole(['run', 'first', '--text', 'the ', '--set', 'answerTokens=5', 'temperature=0']);
    expect(code).toBe(0);
    expect(out).toHaveLength(6);
    const { output, attention } = json(keyhole(['run', 'first', '--text', 'the ', '--json']));
    expect(output).toHaveLength(12);
    expect(attention).toHaveLength(2);
  }, 30_000);
});

describe('help', () => {
  it('lists every key of the task with default and meaning', () => {
    const { out } = keyhole(['train', 'novel', '--help']);
    expect(out).toMatch(/temperature\s+answers: divides the scores.*\(number; default 0.8\)/);
    expect(out).toMatch(/optimiser\s+update rule \(adamw \| sgd \| lion; default "adamw"\)/);
    expect(out).toMatch(/width\s+model width E \(integer; from the preset\)/);
    expect(out).not.toContain('keepStress');
    expect(keyhole(['train', '--help']).out).toMatch(/g2p .*presets: quick, full/);
  });
});

describe('refusals leave no run behind', () => {
  const file = (name: string, contents: string | Uint8Array): string => {
    writeFileSync(join(folder, name), contents);
    return name;
  };
  const refused = (args: readonly string[], environment = {}): Outcome =>
    keyhole(['train', 'novel', ...args, '--run', 'refused'], environment);

  it.each<[string, () => readonly string[], number, RegExp]>([
    ['an unknown key in a file', () => ['--config', file('a.yaml', 'widht: 3')], 2, /no key widht; did you mean width/],
    ['a value out of range', () => ['--config', file('b.json', '{"width": 0}')], 2, /width/],
    ['a file that is no YAML', () => ['--config', file('c.yaml', 'a: [1,\nb: {')], 2, /expected YAML or JSON/],
    ['a file that is a list', () => ['--config', file('d.yaml', '- 1')], 2, /got a list/],
    ['a configuration that is not there', () => ['--config', 'none.yaml'], 2, /nothing at none.yaml/],
    ['an empty text', () => ['--set', `data=${file('empty.txt', '')}`], 1, /got an empty file/],
    [
      'a text that is not UTF-8',
      () => ['--set', `data=${file('latin1.txt', Buffer.of(0x61, 0xe9, 0x62))}`],
      1,
      /UTF-8/,
    ],
    ['a text that is too short', () => ['--set', `data=${file('short.txt', 'abc')}`], 1, /longer text/],
    ['a text that is not there', () => ['--set', 'data=none.txt'], 2, /moby-dick or a text file/],
    ['a frozen module that is not there', () => ['--config', 'tiny.yaml', '--set', 'freeze=encoder'], 2, /got encoder/],
  ])('%s', (_, args, code, message) => {
    const found = refused(args());
    expect(found.err).toMatch(message);
    expect(found.code).toBe(code);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it('a training that does not fit, with what would', () => {
    const { err, code } = refused(['--config', 'tiny.yaml', '--set', 'batchTokens=4096'], {
      KEYHOLE_MEMORY_BYTES: '600000',
    });
    const [, tokens, rounds] = /batchTokens=(\d+) fits, with accumulate=(\d+)/.exec(err) ?? [];
    expect(Number(tokens) * Number(rounds), err).toBeGreaterThanOrEqual(4096);
    expect(code).toBe(1);
    const smaller = ['--config', 'tiny.yaml', '--set', `batchTokens=${tokens}`, 'steps=1', '--run', 'fits'];
    expect(keyhole(['train', 'novel', ...smaller], { KEYHOLE_MEMORY_BYTES: '600000' }).code).toBe(0);
  }, 30_000);

  it('a run of another task, and a key that would make another model', () => {
    expect(refused(['--config', 'tiny.yaml', '--from', 'none'])).toMatchObject({ code: 2 });
    const { err } = keyhole(['run', 'first', '--text', 'a', '--set', 'width=32']);
    expect(err).toMatch(/expected one of temperature, .* got width/);
    expect(keyhole(['eval', 'first', '--split', 'test']).err).toMatch(/train, validation, got test/);
  }, 30_000);

  it('a second process on one run', async () => {
    const long = ['train', 'novel', '--config', 'tiny.yaml', '--set', 'steps=100000', '--run', 'busy'];
    const first = spawn(process.execPath, [main, ...long], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => first.stdout.once('data', resolve)); // the folder is locked before the first line
    const second = keyhole(['train', 'novel', '--resume', '--run', 'busy']);
    expect(second).toMatchObject({ code: 1, err: expect.stringMatching(/only writer of .*, got process \d+/) });
    first.kill('SIGTERM');
    const code = await new Promise((resolve) => first.once('exit', resolve));
    expect(code).toBe(1);
    expect(read('busy/run.json').status).toBe('stopped');
  }, 60_000);
});
