import { expect, test } from 'vitest';
import { type ComparedRun, renderComparison } from './comparison.js';

const run = (label: string, values: readonly number[]): ComparedRun => ({
  ...{ label, name: `run-${label}`, task: 'g2p', status: 'finished', started: 'today' },
  configuration: { width: label, depth: '2' },
  metrics: values.map((value, index) => ({ step: index, name: 'validation/loss', value, unit: 'nats' })),
});
const row = { name: 'validation/loss', label: 'Loss', unit: 'nats', better: 'lower' } as const;

test('differences from the first run, in the direction that counts', () => {
  const html = renderComparison({
    runs: [run('A', [2, 1]), run('B', [2, 0.5]), run('C', [])],
    rows: [
      { ...row, values: [1, 0.5, null] },
      { ...row, name: 'validation/f1', better: 'higher', values: [1, 0.5, 1] },
      { ...row, name: 'train/learningRate', better: 'neither', values: [1, 2, Number.NaN] },
    ],
  });
  expect(html).toContain('0.5 <span class="right">−0.5 better</span>');
  expect(html).toContain('0.5 <span class="wrong">−0.5 worse</span>');
  expect(html).toContain('2 <span class="muted">+1</span>');
  expect(html.match(/<figcaption>Loss, validation/g)).toHaveLength(1);
  expect(html).toContain('A from 2 at step 0 to 1 at 1; B from 2 at step 0 to 0.5 at 1');
  expect(html).toMatch(/<th scope="row">width<\/th>/);
  expect(html).not.toMatch(/<th scope="row">depth<\/th>/); // all agree on it
});

test('runs without figures, and hostile names', () => {
  const hostile = '<script>alert(1)</script>';
  const html = renderComparison({ runs: [{ ...run('A', []), name: hostile, label: hostile }], rows: [] });
  expect(html).toContain('1 run compared');
  expect(html).not.toContain(hostile);
  expect(html).not.toContain('Curves');
});
