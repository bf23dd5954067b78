import { describe, expect, test } from 'vitest';
import { FormatError, StateError } from '../core/errors.js';
import type { LineWriter } from './jsonLines.js';
import { jsonLinesSink, parseKpiLog } from './kpiLines.js';
import { KpiLogger, type KpiSink } from './kpiLogger.js';
import { kpiOf } from './kpis.js';

function memory(): LineWriter & { readonly lines: string[]; readonly calls: string[] } {
  const [lines, calls]: [string[], string[]] = [[], []];
  return {
    lines,
    calls,
    write: (line) => void lines.push(line),
    flush: () => void calls.push('flush'),
    close: () => void calls.push('close'),
  };
}

function logTo(sinks: readonly KpiSink[], elapsedMs = 0): { log: KpiLogger; advance: (ms: number) => void } {
  let now = 5000;
  const log = new KpiLogger({ sinks, elapsedMs, clock: () => now });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { log, advance };
}

test('lines hold step, time, name, value and unit, in this order', () => {
  const writer = memory();
  const { log, advance } = logTo([jsonLinesSink(writer)]);
  advance(1234.4);
  log.write(100, 'train', { loss: 1.25, learningRate: 0.001 });
  expect(writer.lines).toEqual([
    '{"step":100,"wallTimeMs":1234,"name":"train/loss","value":1.25,"unit":"nats"}',
    '{"step":100,"wallTimeMs":1234,"name":"train/learningRate","value":0.001,"unit":"per step"}',
  ]);
});

test('a resumed run goes on counting time', () => {
  const { log, advance } = logTo([], 60_000);
  advance(10);
  expect(log.elapsedMs).toBe(60_010);
});

test('every sink gets everything', () => {
  const writers = [memory(), memory()];
  const { log } = logTo(writers.map(jsonLinesSink));
  log.write(0, 'test', { phonemeErrorRate: 0.05 });
  log.flush();
  log.close();
  for (const { lines, calls } of writers) {
    expect(lines).toHaveLength(1);
    expect(calls).toEqual(['flush', 'close']);
  }
});

test('what is written is read back, divergence included', () => {
  const writer = memory();
  const { log } = logTo([jsonLinesSink(writer)]);
  log.write(1, 'validation', { loss: Number.NaN, perplexity: Number.POSITIVE_INFINITY, tokenAccuracy: 0.5 });
  const { entries, unfinished } = parseKpiLog(`${writer.lines.join('\n')}\n{"step":2,"wall`);
  expect(entries.map(({ name, value }) => [name, value])).toEqual([
    ['validation/loss', Number.NaN],
    ['validation/perplexity', Number.POSITIVE_INFINITY],
    ['validation/tokenAccuracy', 0.5],
  ]);
  expect(unfinished).toBe(1);
});

describe('wrong use', () => {
  test('an unregistered figure is named with the nearest, and nothing is written', () => {
    const writer = memory();
    const { log } = logTo([jsonLinesSink(writer)]);
    expect(() => log.write(1, 'train', { loss: 1, tokensPerSec: 2 })).toThrow(/tokensPerSec; .*train\/tokensPerSecond/);
    expect(writer.lines).toEqual([]);
  });

  test.each(['loss', 'trian/loss', 'train/loss/x', 'train/', 'train/toString'])('%s is no KPI', (name) => {
    expect(() => kpiOf(name)).toThrow(StateError);
  });

  test.each([-1, 0.5, Number.NaN])('step %d', (step) => {
    expect(() => logTo([]).log.write(step, 'train', { loss: 1 })).toThrow(StateError);
  });

  test('an own table replaces the standard one', () => {
    const kpis = { hits: { label: 'Hits', unit: 'count', better: 'higher' } } as const;
    const writer = memory();
    new KpiLogger({ sinks: [jsonLinesSink(writer)], kpis }).write(1, 'test', { hits: 3 });
    expect(parseKpiLog(`${writer.lines[0]}\n`).entries[0]).toMatchObject({
      name: 'test/hits',
      value: 3,
      unit: 'count',
    });
  });
});

test.each([
  { step: -1 },
  { step: '1' },
  { wallTimeMs: null },
  { name: 7 },
  { value: 'big' },
  { value: null },
  { unit: undefined },
])('a line with %j is damage', (damage) => {
  const good = { step: 1, wallTimeMs: 5, name: 'train/loss', value: 1, unit: 'nats' };
  expect(parseKpiLog(`${JSON.stringify(good)}\n`).entries).toEqual([good]);
  expect(() => parseKpiLog(`${JSON.stringify({ ...good, ...damage })}\n`)).toThrow(FormatError);
});
