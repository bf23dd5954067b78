import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { operationNames } from '../../src/tensor/index.js';
import { checkGradients, type Layout } from './checkGradients.js';
import { samples } from './samples.js';

const backend = createReferenceBackend({ precision: 'f64' });
const layouts: readonly Layout[] = ['packed', 'strided'];

test('every operation has samples', () => {
  const missing = [...operationNames()].filter((name) => (samples[name] ?? []).length === 0);
  expect(missing).toEqual([]);
});

test('no sample is left over from an operation that is gone', () => {
  expect(Object.keys(samples).filter((name) => !operationNames().has(name))).toEqual([]);
});

describe.each(Object.entries(samples))('%s', (name, list) => {
  const cases = list.flatMap((sample, at) => layouts.map((layout) => ({ sample, at, layout })));
  test.each(cases)('sample $at, $layout', ({ sample, layout }) => {
    const report = checkGradients(sample, layout, backend);
    expect(report.mismatches).toEqual([]);
    expect(report.checked).toBeGreaterThan(0);
    expect([...report.operations]).toContain(name);
  });
});
