import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, keyholeIn, newFolder, type Outcome } from './program.js';

const tiny = [
  ...['width=16', 'heads=2', 'hidden=16', 'encoderLayers=1', 'decoderLayers=1', 'maxLength=24'],
  ...['batchTokens=512', 'steps=6', 'warmupSteps=2', 'evaluateEvery=3'],
];

let folder: string;

const keyhole = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): Outcome =>
  keyholeIn(folder, args, { environment });

const trainTiny = (...more: readonly string[]): Outcome =>
  keyhole(['train', 'g2p', '--set', ...tiny, '--json', ...more]);

let trained: Outcome;

beforeAll(() => {
  folder = newFolder('cli');
  trained = trainTiny();
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('train', () => {
  it('ends with one JSON object that has every figure', () => {
    expect(trained.err).not.toContain('error:');
    expect(trained.code).toBe(0);
    const result = json(trained);
    expect(result).toMatchObject({
      status: 'finished',
      steps: 6,
      backend: expect.any(String),
      target: expect.any(String),
    });
    for (const name of ['trainLoss', 'validationLoss', 'tokenAccuracy', 'phonemeErrorRate', 'wordErrorRate'])
      expect(result[name], name).toEqual(expect.any(Number));
    expect(result.tokensPerSecond).toBeGreaterThan(0);
    const { p50, p95, p99 } = result.latencyMs as Record<string, number>;
    expect(p50).toBeLessThanOrEqual(p95 ?? 0);
    expect(p95).toBeLessThanOrEqual(p99 ?? 0);
    const events = readdirSync(join(folder, String(result.run))).filter((name) =>
      name.startsWith('events.out.tfevents.'),
    );
    expect(events.length).toBeGreaterThan(0);
    for (const file of ['run.json', 'metrics.jsonl', 'attention.jsonl', 'report.html', 'checkpoints'])
      expect(existsSync(join(folder, String(result.run), file)), file).toBe(true);
  });

  it('logs the same figures for the same seed, and others for another', () => {
    const metrics = (run: string): unknown[] =>
      readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ unit }) => unit !== 'ms' && unit !== 'tokens/s')
        .map(({ step, name, value }) => ({ step, name, value }));
    expect(trainTiny('--run', 'again').code).toBe(0);
    expect(trainTiny('--run', 'other', '--seed', '2').code).toBe(0);
    expect(metrics('again')).toEqual(metrics('runs/latest'));
    expect(metrics('other')).not.toEqual(metrics('runs/latest'));
  }, 120_000);

  it('refuses a second run in one folder, and options beside --resume', () => {
    expect(trainTiny('--run', 'runs/latest')).toMatchObject({ code: 2, err: expect.stringContaining('--resume') });
    const resumed = keyhole(['train', 'g2p', '--resume', '--seed', '3']);
    expect(resumed).toMatchObject({ code: 2, err: expect.stringContaining('keeps its configuration') });
  });

  it('resumes a finished run without changing what it logged', () => {
    const log = join(folder, 'runs', 'latest', 'metrics.jsonl');
    const before = readFileSync(log, 'utf8');
    expect(keyhole(['train', 'g2p', '--resume', '--json']).code).toBe(0);
    expect(readFileSync(log, 'utf8')).toBe(before);
  }, 60_000);
});

describe('run, inspect and eval', () => {
  it('print an answer, and as JSON the attention of every cross-attention head', () => {
    expect(keyhole(['run', 'runs/latest', '--text', 'keyhole']).code).toBe(0);
    const { attention } = json(keyhole(['run', 'runs/latest', '--text', 'keyhole', '--json'])) as {
      attention: { path: string; columns: string[]; weights: number[][] }[];
    };
    expect(attention).toHaveLength(2);
    for (const { path, columns, weights } of attention) {
      expect(path).toBe('decoder.blocks.0.crossAttention');
      expect(columns.slice(0, 7)).toEqual([...'keyhole']);
      for (const row of weights) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
  });

  it.each([
    ['html', '<!doctype html>'],
    ['svg', '<svg'],
    ['png', '\ufffdPNG'],
    ['json', '{'],
  ])('write a picture as %s', (ending, start) => {
    const file = join(folder, `picture.${ending}`);
    expect(keyhole(['inspect', 'runs/latest', '--text', 'keyhole', '--out', file]).err).toBe('');
    expect(readFileSync(file, 'utf8').toLowerCase().startsWith(start.toLowerCase())).toBe(true);
  });

  it('evaluate a split', () => {
    const result = json(keyhole(['eval', 'runs/latest', '--split', 'validation', '--json']));
    expect(result).toMatchObject({ split: 'validation', phonemeErrorRate: expect.any(Number) });
    expect(result.inputsPerSecond).toBeGreaterThan(0);
  }, 60_000);

  it('measure speed, cold and warm, write it into the run and its report', () => {
    const result = json(keyhole(['eval', 'runs/latest', '--json']));
    const throughput = result.throughput as { batch: number; length: number; inputsPerSecond: number }[];
    expect(new Set(throughput.map(({ batch }) => batch))).toEqual(new Set([1, 4, 16, 64]));
    expect(new Set(throughput.map(({ length }) => length)).size).toBeGreaterThan(1);
    for (const { inputsPerSecond } of throughput) expect(inputsPerSecond).toBeGreaterThan(0);
    for (const name of ['firstLatencyMs', 'peakMemoryMb', 'coldCount']) expect(result[name], name).toBeGreaterThan(0);
    const { runs } = json(keyhole(['runs', '--json'])) as { runs: { kpis: Record<string, number> }[] };
    const { kpis = {} } = runs[0] ?? {};
    expect(kpis['inference/latencyP50Ms']).toBe((result.latencyMs as { p50: number }).p50);
    expect(kpis['inference/coldLatencyP50Ms']).toBe((result.coldLatencyMs as { p50: number }).p50);
    expect(kpis['test/phonemeErrorRate']).toBe(result.phonemeErrorRate);
    const report = readFileSync(join(folder, 'runs', 'latest', 'report.html'), 'utf8');
    expect(report).toContain('Inference speed');
    expect(report).toContain('Throughput in inputs/s');
  }, 120_000);
});

describe('wrong use ends with code 2 and one or two lines', () => {
  it.each([
    ['an unknown command', ['trian'], 'Did you mean train?'],
    ['an unknown option', ['train', 'g2p', '--sed', '1'], 'Did you mean'],
    ['an unknown task', ['train', 'g2q'], 'did you mean g2p?'],
    ['an unknown preset', ['train', 'g2p', '--preset', 'fast'], 'quick, full'],
    ['an unknown key', ['train', 'g2p', '--set', 'widht=3'], 'did you mean width?'],
    ['a value of the wrong type', ['train', 'g2p', '--set', 'width=wide'], 'width'],
    ['a value out of range', ['train', 'g2p', '--set', 'dropout=2'], 'dropout'],
    ['no text', ['run', 'runs/latest'], '--text'],
    ['an empty text', ['run', 'runs/latest', '--text', ' '], 'empty'],
    ['a character that no word has', ['run', 'runs/latest', '--text', 'naïve'], 'ï'],
    ['a word of 10,000 letters', ['run', 'runs/latest', '--text', 'a'.repeat(10_000)], '10000'],
    ['a run that is not there', ['eval', 'runs/none'], 'runs/none'],
    ['an unknown split', ['eval', 'runs/latest', '--split', 'all'], 'test'],
    ['an unknown format', ['inspect', 'runs/latest', '--text', 'a', '--out', 'a.pdf'], '.svg'],
    [
      'a layer that is not there',
      ['inspect', 'runs/latest', '--text', 'a', '--out', 'a.svg', '--layer', '9'],
      'crossAttention',
    ],
    [
      'a head that is not there',
      ['inspect', 'runs/latest', '--text', 'a', '--out', 'a.svg', '--head', '9'],
      'from 0 to 1',
    ],
  ])('%s', (_, args, hint) => {
    const { code, out, err } = keyhole(args);
    expect(err).toContain(hint);
    expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});

describe('failure ends with code 1 and says what to do', () => {
  const damagedCopy = (name: string): string => {
    cpSync(join(folder, 'runs', 'latest'), join(folder, name), { recursive: true, dereference: true });
    return join(folder, name);
  };

  it('a folder that holds no run', () => {
    expect(keyhole(['eval', '.'])).toMatchObject({ code: 1, err: expect.stringContaining('run.json') });
  });

  it('a half-written run.json', () => {
    const copy = damagedCopy('half');
    truncateSync(join(copy, 'run.json'), 40);
    expect(keyhole(['eval', copy])).toMatchObject({ code: 1, err: expect.stringContaining('run.json') });
  });

  it('a run of another version', () => {
    const copy = damagedCopy('future');
    const file = join(copy, 'run.json');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('"format": 1', '"format": 99').replace('"format":1', '"format":99'),
    );
    expect(keyhole(['run', copy, '--text', 'a'])).toMatchObject({ code: 1, err: expect.stringContaining('format') });
  });

  it('checkpoints that are all damaged', () => {
    const copy = damagedCopy('damaged');
    for (const step of ['step-3', 'step-6']) {
      const file = join(copy, 'checkpoints', step, 'model.safetensors');
      if (existsSync(file)) copyFileSync(join(copy, 'run.json'), file);
    }
    const { code, err } = keyhole(['run', copy, '--text', 'a']);
    expect(err).toContain('error: ');
    expect(err).not.toContain('this should not have happened');
    expect(code).toBe(1);
  });

  it('a backend that is forced and not there', () => {
    const { code, err } = keyhole(['doctor'], { KEYHOLE_BACKEND: 'native:none' });
    expect(err).toContain('none');
    expect(code).toBe(1);
    expect(keyhole(['doctor'], { KEYHOLE_BACKEND: 'magic' }).code).toBe(2);
  });

  it('a picture in a folder that is not there', () => {
    const result = keyhole(['inspect', 'runs/latest', '--text', 'a', '--out', 'no/such/a.svg']);
    expect(result).toMatchObject({ code: 1, err: expect.stringContaining('no/such/a.svg') });
  });
});

describe('help', () => {
  it.each(['train', 'eval', 'run', 'inspect', 'runs', 'doctor'])('%s shows an example', (command) => {
    const { code, out } = keyhole([command, '--help']);
    expect(out).toContain('Example:');
    expect(out).toContain('--json');
    expect(code).toBe(0);
  });
});
