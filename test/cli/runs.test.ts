/**
 * `keyhole runs` as a program: listing, comparing, failing a pipeline, exporting. Runs are written by the run's own
 * logs, without training; what training and eval write is looked at in commands.test.ts.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunLogs } from '../../src/cli/runLogs.js';
import { type AttentionRecord, type CapturedAttention, statisticNames } from '../../src/core/records.js';
import { parseKpiLog } from '../../src/monitor/kpiLines.js';
import { readRecords } from '../../src/monitor/tensorboard/tfRecord.js';
import { createRun, resumeRun } from '../../src/train/run.js';
import type { RunDescription } from '../../src/train/runRecord.js';
import { json as jsonOf, keyholeIn, newFolder, type Outcome, root } from './program.js';

let folder: string;

const keyhole = (...args: readonly string[]): Outcome => keyholeIn(folder, args);
const json = (...args: readonly string[]): Record<string, unknown> => jsonOf(keyhole(...args, '--json'));

const description: RunDescription = {
  ...{ task: 'g2p', configuration: { width: 16 }, seed: 1, versions: {}, backend: 'reference', target: 'reference' },
  vocabularies: {},
};

type Logged = readonly (readonly [step: number, figures: Readonly<Record<string, number>>])[];

function makeRun(name: string, logged: Logged, width = 16): string {
  const path = join(folder, 'runs', name);
  const run = createRun({ ...description, configuration: { width } }, { folder: path });
  const logs = new RunLogs(run);
  for (const [step, figures] of logged) logs.record(step, figures);
  logs.close();
  run.setStatus('finished');
  run.close();
  return path;
}

/** Attention of one head and one query over one key. */
const oneRow: CapturedAttention = {
  path: 'encoder',
  kind: 'self',
  record: {
    ...{ batch: 1, heads: 1, queries: 1, keys: 1, lse: new Float32Array(1) },
    statistics: Object.fromEntries(
      statisticNames.map((name) => [name, new Float32Array(1)]),
    ) as AttentionRecord['statistics'],
  },
};

const evaluated = (loss: number, phonemeErrorRate: number): Readonly<Record<string, number>> => ({
  'validation/loss': loss,
  'validation/phonemeErrorRate': phonemeErrorRate,
});

beforeAll(() => {
  folder = newFolder('runs');
  makeRun('before', [
    [10, { 'train/loss': 3, 'train/tokensPerSecond': 100 }],
    [10, evaluated(2, 0.5)],
    [20, { 'train/loss': 1, 'train/tokensPerSecond': 300 }],
    [20, evaluated(1.5, 0.3)],
    [30, evaluated(1.2, 0.4)], // a better loss, but the task is judged by its error rate
  ]);
  makeRun('after', [[10, evaluated(1.53, 0.3)]], 32);
  makeRun('diverged', [[10, evaluated(Number.NaN, Number.NaN)]]);
  makeRun('empty', []);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('runs', () => {
  it('lists every run with its figures: validation at the best step, mean throughput', () => {
    const { runs } = json('runs') as { runs: { run: string; kpis: Record<string, number>; notes: string[] }[] };
    expect(runs.map(({ run }) => run)).toEqual(['runs/after', 'runs/before', 'runs/diverged', 'runs/empty']);
    expect(runs[1]?.kpis).toEqual({
      ...{ 'train/loss': 1, 'train/tokensPerSecond': 150 }, // as many tokens at 100 as at 300
      ...evaluated(1.5, 0.3),
    });
    expect(runs[3]?.notes).toEqual(['no figures were logged']);
  });

  it('adds what eval found on the weights that count, and says when it was on others', () => {
    const evaluate = (step: number): void => {
      const ms = { p50: 1, p95: 2, p99: 3 };
      const speed = { firstMs: 9, coldMs: ms, coldCount: 1, warmMs: ms, peakMemoryMb: 100, throughput: [] };
      const about = { format: 1, step, backend: 'reference', target: 'reference', threads: 1, measuredAt: 'today' };
      const evaluation = { ...about, figures: { 'test/loss': 1.6, 'inference/latencyP50Ms': 1 }, speed };
      writeFileSync(join(folder, 'runs', 'before', 'evaluation-test.json'), JSON.stringify(evaluation));
    };
    const listed = (): { kpis: Record<string, number>; notes: string[] } =>
      (json('runs').runs as { kpis: Record<string, number>; notes: string[] }[])[1] ?? { kpis: {}, notes: [] };
    evaluate(20);
    expect(listed()).toMatchObject({ kpis: { 'test/loss': 1.6, 'inference/latencyP50Ms': 1 }, notes: [] });
    evaluate(10);
    expect(listed().kpis).not.toHaveProperty('test/loss');
    expect(listed().notes[0]).toContain('evaluation of step 10 is left out');
    writeFileSync(join(folder, 'runs', 'before', 'evaluation-test.json'), '{"format":2}');
    expect(keyhole('runs').out).toMatch(/evaluation-test\.json: .*from another version/);
    rmSync(join(folder, 'runs', 'before', 'evaluation-test.json'));
  });

  it('lists what it cannot read with the reason, and ends well', () => {
    const strange = join(folder, 'strange');
    mkdirSync(join(strange, 'future'), { recursive: true });
    writeFileSync(join(strange, 'future', 'run.json'), '{"format":99}');
    const torn = createRun(description, { folder: join(strange, 'torn') });
    torn.close();
    writeFileSync(torn.path('metrics.jsonl'), 'no JSON\n');
    const { code, out } = keyhole('runs', '--root', 'strange');
    expect(out).toContain('expected run format 1, got 99');
    expect(out).toMatch(/metrics\.jsonl: expected a log entry in line 1/);
    expect(code).toBe(0);
  });

  it('says so when there is nothing, and refuses a root that is not there', () => {
    mkdirSync(join(folder, 'none'));
    expect(json('runs', '--root', 'none')).toEqual({ runs: [] });
    expect(keyhole('runs', '--root', 'nowhere')).toMatchObject({ code: 2, err: expect.stringContaining('nowhere') });
  });
});

describe('runs compare', () => {
  const compare = (...args: string[]): ReturnType<typeof keyhole> => keyhole('runs', 'compare', ...args);

  it('shows a table and writes one page with overlaid curves and differing keys', () => {
    const { code, out } = compare('runs/before', 'runs/after', '--out', 'page.html');
    expect(out).toMatch(/validation\/loss\s+1\.5 nats\s+1\.53 nats/);
    expect(code).toBe(0);
    const html = readFileSync(join(folder, 'page.html'), 'utf8');
    expect(html).toContain('+0.03 worse');
    expect(html).toMatch(/width.*16.*32/);
    expect(html).toContain('Loss, validation');
    expect(html).not.toMatch(/(?:src|href)="(?!#)/);
  });

  it.each([
    ['validation/loss > baseline + 0.02', 1],
    ['validation/loss > baseline + 0.04', 0],
    ['validation/loss > 1.01 * baseline', 1],
    ['validation/phonemeErrorRate > baseline', 0],
    ['validation/loss > 1.6', 0],
    ['train/loss > 100', 1], // the second run never logged it
  ])('--fail-if %s ends with %i', (condition, expected) => {
    const { code, out } = compare('runs/before', 'runs/after', '--fail-if', condition);
    expect(out).toContain(condition);
    expect(code).toBe(expected);
  });

  it('fails for a run that diverged or logged nothing, whatever the direction', () => {
    for (const run of ['runs/diverged', 'runs/empty']) {
      for (const condition of ['validation/loss > baseline + 9', 'validation/loss < baseline - 9'])
        expect(compare('runs/before', run, '--fail-if', condition).code).toBe(1);
    }
  });

  it('asks every condition of every run but the baseline, and says what it found as JSON', () => {
    const result = json(
      'runs',
      'compare',
      'runs/before',
      'runs/after',
      'runs/before',
      '--fail-if',
      'validation/loss > 1.52',
      'validation/loss > 9',
    );
    expect(result).toMatchObject({
      failed: true,
      conditions: [
        { run: 'after', value: 1.53, bound: 1.52, holds: true },
        { run: 'before', value: 1.5, holds: false },
        { run: 'after', holds: false },
        { run: 'before', holds: false },
      ],
    });
  });

  it.each([
    [['runs/before', 'runs/after', '--fail-if', 'validation/loss => 1'], 'expected <, <=, > or >=|expected figures'],
    [['runs/before', 'runs/after', '--fail-if', 'validation/lss > 1'], 'did you mean validation/loss\\?'],
    [['runs/before', '--fail-if', 'validation/loss > baseline'], 'expected two runs or more'],
    [['runs/before', 'runs/nothing'], 'runs/nothing'],
    [[], 'missing required argument'],
  ])('%j is wrong use', (args, message) => {
    const { code, err } = compare(...args);
    expect(err).toMatch(new RegExp(message));
    expect(code).toBe(2);
  });

  it('one run is compared with numbers alone', () => {
    expect(compare('runs/before', '--fail-if', 'validation/loss > 1').code).toBe(1);
    expect(compare('runs/before', '--fail-if', 'validation/loss > 2').code).toBe(0);
  });
});

describe('runs export', () => {
  const exported = (format: string): ReturnType<typeof keyhole> =>
    keyhole('runs', 'export', 'runs/before', '--format', format, '--out', `out.${format}`);

  it('writes CSV, Parquet and what Prometheus reads', async () => {
    for (const format of ['csv', 'parquet', 'prometheus']) expect(exported(format).code, format).toBe(0);
    const lines = readFileSync(join(folder, 'out.csv'), 'utf8').trim().split('\r\n');
    expect(lines[1]).toMatch(/^10,\d+,train\/loss,3,nats$/);
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, 'out.parquet'));
    const file = (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
    expect(await parquetReadObjects({ file })).toHaveLength(lines.length - 1);
    const text = readFileSync(join(folder, 'out.prometheus'), 'utf8');
    expect(text).toContain('keyhole_validation_phoneme_error_rate{run="before",task="g2p"} 0.3');
  });

  it('refuses an unknown format, and a folder that is not there', () => {
    expect(exported('xml')).toMatchObject({ code: 2, err: expect.stringContaining('csv, parquet, prometheus') });
    const lost = keyhole('runs', 'export', 'runs/before', '--format', 'csv', '--out', 'no/such/folder.csv');
    expect(lost).toMatchObject({ code: 1, err: expect.stringContaining('no/such/folder.csv') });
  });

  it.skipIf(!existsSync('/dev/full'))('says so when the disk is full', () => {
    const run = resumeRun(makeRun('full', []));
    symlinkSync('/dev/full', run.path('attention.jsonl'));
    const logs = new RunLogs(run);
    logs.record(1, { 'train/loss': 1 });
    logs.attention(1, [oneRow]);
    expect(() => logs.flush()).toThrow(/room on the disk for .*attention\.jsonl.*use --resume/);
    expect(() => logs.close()).toThrow(/attention\.jsonl/);
    expect(readFileSync(run.path('metrics.jsonl'), 'utf8')).toMatch(/^\{.*"train\/loss".*\}\n$/); // had room, and is whole
    run.close();
  });
});

describe('a log cut off by a kill', () => {
  it('is read up to its last whole line and record, and goes on from there', () => {
    const path = makeRun('killed', [
      [10, evaluated(2, 0.5)],
      [20, evaluated(1, 0.4)],
    ]);
    const events = (): string[] => readdirSync(path).filter((name) => name.startsWith('events.out.tfevents.'));
    const [first = ''] = events();
    appendFileSync(join(path, 'metrics.jsonl'), '{"step":30,"wallTimeMs":1,"na');
    appendFileSync(join(path, first), Buffer.from([40, 0, 0, 0]));
    expect(keyhole('runs', 'compare', 'runs/killed').out).toContain('note: killed: the last line of metrics.jsonl');

    const run = resumeRun(path);
    const logs = new RunLogs(run);
    logs.cutAfter(10);
    logs.record(20, evaluated(0.9, 0.3));
    logs.close();
    run.close();
    expect(logs.metrics().map(({ step, value }) => [step, value])).toEqual([
      [10, 2],
      [10, 0.5],
      [20, 0.9],
      [20, 0.3],
    ]);
    const read = events().map((name) => readRecords(readFileSync(join(path, name))));
    expect(read.map(({ fault }) => fault)).toEqual(read.map(() => undefined));
    // Version and two figures of step 10; then version, the start of the resumed run, two figures. One file if it is quick.
    expect(read.flatMap(({ records }) => records)).toHaveLength(3 + 4);
  });

  it('is whole but for its last line and record wherever kill -9 strikes', async () => {
    const code = `
      const { createRun } = await import(process.argv[1] + 'train/index.js');
      const { RunLogs } = await import(process.argv[1] + 'cli/runLogs.js');
      const logs = new RunLogs(createRun(JSON.parse(process.argv[2]), { folder: process.argv[3] }));
      for (let step = 1; ; step++) {
        for (let n = 0; n < 50; n++) logs.record(step, { 'train/loss': step, 'train/gradientNorm': 1 / step });
        logs.flush();
        if (step === 2) process.stdout.write('on it');
      }`;
    for (const [index, waitMs] of [0, 3, 7, 20].entries()) {
      const path = join(folder, `killed-${index}`);
      const args = ['--input-type=module', '-e', code, join(root, 'dist/'), JSON.stringify(description), path];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const { entries } = parseKpiLog(readFileSync(join(path, 'metrics.jsonl'), 'utf8')); // throws for any damaged line
      expect(entries.length).toBeGreaterThanOrEqual(200);
      for (const name of readdirSync(path).filter((name) => name.startsWith('events.'))) {
        const { records, fault } = readRecords(readFileSync(join(path, name)));
        expect(records.length).toBeGreaterThanOrEqual(100);
        expect([undefined, 'unfinished']).toContain(fault);
      }
      expect(keyhole('runs', 'compare', path).code).toBe(0);
    }
  }, 180_000);
});
