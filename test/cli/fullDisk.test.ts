/**
 * A disk that fills while `keyhole train novel` writes its logs, its checkpoints or its report: one clear line, and once
 * there is room again, `--resume` ends with the log and the weights of a training that was never disturbed.
 */

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, keyholeIn, newFolder, type Outcome } from './program.js';

const smallDisk = fileURLToPath(new URL('./smallDisk.mjs', import.meta.url));
const sizes = ['layers=1', 'heads=2', 'width=16', 'hidden=16', 'context=8', 'batchTokens=64', 'answerTokens=12'];
const keys = [...sizes, 'data=text.txt', 'steps=30', 'warmupSteps=2', 'evaluateEvery=10', 'averageDecay=0'];
const sinks = 'sinks=tensorboard,console,prometheus';
let folder = '';

const train = (run: string, ...more: string[]): Outcome =>
  keyholeIn(folder, ['train', 'novel', '--set', ...keys, sinks, '--run', run, ...more]);

/** The same training on a disk with room for so many bytes. */
const trainWithin = (bytes: number, run: string): Outcome =>
  keyholeIn(folder, ['train', 'novel', '--set', ...keys, sinks, '--run', run], {
    node: ['--import', smallDisk],
    environment: { KEYHOLE_TEST_ROOM: String(bytes) },
  });

/** Figures of the log that a clock has no part in. */
const figures = (run: string): string[] =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !/tokensPerSecond|inference/.test(line))
    .map((line) => line.replace(/"wallTimeMs":\d+/, ''));

const weights = (run: string): Buffer => readFileSync(join(folder, run, 'checkpoints', 'step-30', 'model.safetensors'));

beforeAll(() => {
  folder = newFolder('full-disk');
  writeFileSync(join(folder, 'text.txt'), 'the whale and the sea; call me Ishmael.\n'.repeat(250));
  expect(train('whole').code).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes that the whole training has in its folder; it writes more, for old checkpoints are removed. */
function bytesOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

describe('a disk that fills', () => {
  it('at the very start: no run, and the same command works when there is room', () => {
    const { code, err } = trainWithin(300, 'early');
    expect(err).toMatch(/^error: writeAtomic: expected room on the disk for \S*run\.json, got ENOSPC; .*\n$/);
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'early'))).toBe(false);
    expect(train('early').code).toBe(0);
  }, 60_000);

  it('at twelve places: a clear line, then --resume ends as if nothing had happened', () => {
    const places = new Set<string>();
    const all = bytesOf(join(folder, 'whole'));
    for (let index = 1; index <= 12; index++) {
      const run = `full-${index}`;
      const { code, err } = trainWithin(Math.round((0.08 * index + 0.02) * all), run);
      expect(err).toMatch(/^error: \w+: expected room on the disk for \S+, got ENOSPC; .*use --resume\n$/);
      expect(code).toBe(1);
      places.add(/for (?:\S*\/)?([\w-]+)\.[\w.]+, got/.exec(err)?.[1] ?? err);
      const resumed = keyholeIn(folder, ['train', 'novel', '--resume', '--run', run, '--json']);
      expect(json(resumed)).toMatchObject({ status: 'finished', steps: 30 });
      expect(figures(run)).toEqual(figures('whole'));
      expect(weights(run).equals(weights('whole'))).toBe(true);
    }
    expect([...places]).toEqual(expect.arrayContaining(['model', 'optimizer']));
  }, 180_000);
});
