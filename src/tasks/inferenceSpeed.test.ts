import { expect, test, vi } from 'vitest';
import { measureSpeed } from './inferenceSpeed.js';
import type { OpenTask } from './task.js';

/** A task that answers at once and remembers what it was asked. */
function fake(inputs: readonly string[], batches = true): { open: OpenTask; asked: (readonly string[])[] } {
  const asked: (readonly string[])[] = [];
  const answers = (chosen: readonly string[]): readonly string[] => {
    asked.push(chosen);
    return chosen;
  };
  const open = { inputs: () => inputs, answer: vi.fn(), ...(batches && { answers }) } as unknown as OpenTask;
  return { open, asked };
}

const words = Array.from({ length: 200 }, (_, index) => 'x'.repeat(1 + (index % 20)));
const reopening = { split: 'test', beams: 1, coldCount: 3 } as const;

test('batches of four sizes from short, middling and long inputs', async () => {
  const { open, asked } = fake(words);
  const reopen = vi.fn(async () => fake(words).open);
  const { throughput, coldCount, coldMs, firstMs } = await measureSpeed(open, { ...reopening, reopen });
  expect(throughput.map(({ batch }) => batch)).toEqual([1, 4, 16, 64, 1, 4, 16, 64, 1, 4, 16, 64]);
  const [short = 0, middling = 0, long = 0] = [...new Set(throughput.map(({ length }) => length))];
  expect(short).toBeLessThan(middling);
  expect(middling).toBeLessThan(long);
  for (const { inputsPerSecond } of throughput) expect(inputsPerSecond).toBeGreaterThan(0);
  expect(new Set(asked.map(({ length }) => length))).toEqual(new Set([1, 4, 16, 64]));
  expect([coldCount, reopen.mock.calls.length]).toEqual([3, 3]);
  expect(Math.min(firstMs, coldMs.p50, coldMs.p99)).toBeGreaterThanOrEqual(0);
});

test('few inputs of one length are measured once, and a task without batches not at all', async () => {
  const few = fake(['ab', 'cd', 'ef', 'gh', 'ij']);
  const reopen = async (): Promise<OpenTask> => few.open;
  const { throughput } = await measureSpeed(few.open, { ...reopening, reopen });
  expect(throughput.map(({ batch, length }) => [batch, length])).toEqual([
    [1, 2],
    [4, 2],
  ]);
  const single = fake(words, false);
  expect((await measureSpeed(single.open, { ...reopening, reopen })).throughput).toEqual([]);
});
