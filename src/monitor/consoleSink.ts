/** Key figures as lines for people: one line for each step and phase. Who prints is the caller's business. */

import type { KpiEntry, KpiSink } from './kpiLogger.js';

/**
 * A sink that gathers the figures of a step and a phase and prints them as one line, such as
 * `step 100  train  loss 1.25 nats  learningRate 0.001 per step`, when the next begins, or on `flush`.
 */
export function consoleSink(print: (line: string) => void): KpiSink {
  let waiting: KpiEntry[] = [];
  const flush = (): void => {
    if (waiting.length > 0) print(lineOf(waiting));
    waiting = [];
  };
  return {
    write: (entry) => {
      const [first] = waiting;
      if (first && (first.step !== entry.step || phaseOf(first) !== phaseOf(entry))) flush();
      waiting.push(entry);
    },
    flush,
    close: flush,
  };
}

function lineOf(entries: readonly KpiEntry[]): string {
  const [first] = entries;
  const figures = entries.map(({ name, value, unit }) => {
    const figure = name.slice(name.indexOf('/') + 1);
    return `${figure} ${numberText(value)}${unit === 'ratio' || unit === '' ? '' : ` ${unit}`}`;
  });
  return first ? [`step ${first.step}`, phaseOf(first), ...figures].join('  ') : '';
}

function phaseOf({ name }: KpiEntry): string {
  return name.slice(0, Math.max(0, name.indexOf('/')));
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(4)));
}
