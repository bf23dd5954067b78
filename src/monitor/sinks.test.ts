import { parquetReadObjects } from 'hyparquet';
import { Registry } from 'prom-client';
import { describe, expect, test, vi } from 'vitest';
import { StateError } from '../core/errors.js';
import type { CapturedAttention } from '../core/records.js';
import { histogramOf } from '../metrics/histogram.js';
import { consoleSink } from './consoleSink.js';
import { entropyHistograms } from './entropyHistograms.js';
import { type KpiEntry, KpiLogger, type KpiSink } from './kpiLogger.js';
import { kpiCsv, kpiParquet } from './kpiTable.js';
import { optionalPackage } from './optionalPackage.js';
import { prometheusName, prometheusSink, prometheusText } from './prometheus.js';

const entries: KpiEntry[] = [
  { step: 1, wallTimeMs: 5, name: 'train/loss', value: 1.5, unit: 'nats' },
  { step: 2, wallTimeMs: 9, name: 'train/loss', value: Number.NaN, unit: 'nats' },
  { step: 2, wallTimeMs: 9, name: 'test/own "figure", really', value: Number.NEGATIVE_INFINITY, unit: '' },
];

describe('KpiLogger', () => {
  test('gives other kinds to sinks that take them', () => {
    const [image, text, histogram] = [vi.fn(), vi.fn(), vi.fn()];
    const log = new KpiLogger({ sinks: [{ write: () => {} }, { write: () => {}, image, text, histogram }] });
    log.image(1, 'a', { width: 1, height: 1, png: new Uint8Array() });
    log.text(2, 'b', 'c');
    log.histogram(3, 'd', histogramOf([1]));
    for (const call of [image, text, histogram]) expect(call).toHaveBeenCalledOnce();
    expect(text).toHaveBeenCalledWith(expect.objectContaining({ step: 2, name: 'b', text: 'c' }));
    expect(() => log.text(0.5, 'b', '')).toThrow(StateError);
    expect(() => log.text(1, '', '')).toThrow(StateError);
  });

  test('one sink that fails keeps no other from its turn', () => {
    const failing = (message: string): KpiSink => ({
      write: () => {},
      flush: () => {
        throw new Error(message);
      },
    });
    const flush = vi.fn();
    const log = new KpiLogger({ sinks: [failing('disk full'), failing('second'), { write: () => {}, flush }] });
    expect(() => log.flush()).toThrow('disk full');
    expect(flush).toHaveBeenCalledOnce();
  });
});

test('the console gets one line for each step and phase', () => {
  const lines: string[] = [];
  const log = new KpiLogger({ sinks: [consoleSink((line) => lines.push(line))] });
  log.write(10, 'train', { loss: 1.23456, learningRate: 0.001 });
  log.write(10, 'validation', { loss: 2, f1: 0.5 });
  log.write(20, 'train', { loss: Number.NaN });
  log.close();
  expect(lines).toEqual([
    'step 10  train  loss 1.235 nats  learningRate 0.001 per step',
    'step 10  validation  loss 2 nats  f1 0.5',
    'step 20  train  loss NaN nats',
  ]);
});

describe('tables', () => {
  test('CSV quotes what needs it', () => {
    expect(kpiCsv(entries)).toBe(
      'step,wallTimeMs,name,value,unit\r\n1,5,train/loss,1.5,nats\r\n2,9,train/loss,NaN,nats\r\n' +
        '2,9,"test/own ""figure"", really",-Infinity,\r\n',
    );
  });

  test('Parquet is read back by hyparquet', async () => {
    const { buffer } = await kpiParquet(entries);
    const rows = await parquetReadObjects({ file: buffer as ArrayBuffer });
    expect(rows).toEqual(entries.map((e) => ({ ...e, step: BigInt(e.step), wallTimeMs: BigInt(e.wallTimeMs) })));
    const none = await kpiParquet([]);
    expect(await parquetReadObjects({ file: none.buffer as ArrayBuffer })).toEqual([]);
  });
});

describe('Prometheus', () => {
  test.each([
    ['train/loss', 'keyhole_train_loss'],
    ['inference/latencyP50Ms', 'keyhole_inference_latency_p50_ms'],
    ['test/own "figure", really', 'keyhole_test_own_figure_really'],
  ])('%s is %s', (name, expected) => expect(prometheusName(name)).toBe(expected));

  test('the last value of every name, with labels', async () => {
    expect(await prometheusText(entries, { run: 'a"b' })).toBe(`\
# HELP keyhole_train_loss Loss, in nats; lower is better
# TYPE keyhole_train_loss gauge
keyhole_train_loss{run="a\\"b"} Nan

# HELP keyhole_step Finished optimiser steps
# TYPE keyhole_step gauge
keyhole_step{run="a\\"b"} 2

# HELP keyhole_test_own_figure_really test/own "figure", really
# TYPE keyhole_test_own_figure_really gauge
keyhole_test_own_figure_really{run="a\\"b"} -Inf
`);
  });

  test('fills a registry that a server already has', async () => {
    const registry = new Registry();
    const log = new KpiLogger({ sinks: [await prometheusSink({ registry })] });
    log.write(3, 'train', { loss: 2 });
    log.write(4, 'train', { loss: 1 });
    expect(await registry.metrics()).toMatch(/^keyhole_train_loss 1$/m);
    expect(await registry.metrics()).toMatch(/^keyhole_step 4$/m);
  });
});

test('a package that is not installed is named with the line that installs it', async () => {
  const missing = optionalPackage('prom-client', () => Promise.reject(new Error('ERR_MODULE_NOT_FOUND')));
  await expect(missing).rejects.toThrow(/`npm i prom-client`/);
});

test('histograms of entropy hold one value a row with two keys or more', () => {
  const capture = (path: string, keys: number[], entropy: number[]): CapturedAttention =>
    ({
      path,
      kind: 'self',
      record: {
        heads: 1,
        queries: keys.length,
        statistics: { keys: Float32Array.from(keys), entropyNats: Float32Array.from(entropy) },
      },
    }) as unknown as CapturedAttention;
  const found = entropyHistograms(
    [capture('a', [2, 1, 4, 0], [Math.log(2), 9, Math.log(2), 9]), capture('b', [1], [0]), capture('a', [2], [0])],
    2,
  );
  expect([...found.keys()]).toEqual(['a']);
  expect(found.get('a')).toMatchObject({ count: 3, minimum: 0, counts: [2, 1] });
  expect(found.get('a')?.maximum).toBeCloseTo(1, 6);
});
