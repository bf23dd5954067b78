import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CheckpointStore } from '../../src/train/checkpoint.js';
import { openRun } from '../../src/train/run.js';
import { checkpointAt, killPoints } from './killPoints.js';

const folder = fs.mkdtempSync(`${os.tmpdir()}/keyhole-kill-`);
const driver = `${folder}/driver.mjs`;
const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** One file of plain JavaScript, so that a process starts in a tenth of a second. */
beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { alias: { '#host': pathOf('../../src/host/node.ts') } },
    ssr: { noExternal: true },
    build: {
      ssr: pathOf('./driver.ts'),
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: { output: { entryFileNames: 'driver.mjs' } },
    },
  });
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function start(...inputs: string[]): { child: ChildProcess; output: () => string; ended: Promise<unknown> } {
  const child = spawn(process.execPath, [driver, ...inputs], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (data) => {
    text += data;
  });
  return {
    child,
    output: () => text,
    ended: new Promise((resolve) => child.on('close', (_, signal) => resolve(signal))),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('kill -9 while saving', () => {
  test.each(Object.entries(killPoints))('%s', (name, { found }) => {
    const path = `${folder}/${name}`;
    const { signal, stderr } = spawnSync(process.execPath, [driver, 'save', path, name], { encoding: 'utf8' });
    expect([signal, stderr]).toEqual(['SIGKILL', '']);
    const store = new CheckpointStore(path);
    expect(store.load()).toEqual({ checkpoint: checkpointAt(found), notices: [] });
    expect(store.load('best')).toEqual({ checkpoint: checkpointAt(1), notices: [] });
    store.save(checkpointAt(found + 1));
    expect(fs.readdirSync(path)).toEqual(['step-1', `step-${found}`, `step-${found + 1}`]);
  });

  test('at 20 random times', async () => {
    for (let round = 0; round < 20; round++) {
      const path = `${folder}/random ${round}`;
      const { child, output, ended } = start('save', path);
      await until(() => output() !== '');
      await wait(Math.random() * 60);
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      const saved = Number(output().trim().split('\n').at(-1));
      const { checkpoint, notices } = new CheckpointStore(path).load();
      expect([saved, saved + 1]).toContain(checkpoint.step);
      expect(checkpoint).toEqual(checkpointAt(checkpoint.step));
      expect(notices).toEqual([]);
    }
  });
});

/** A disk of 150 kB, which is room for three checkpoints; needs a kernel that lets users mount in their own namespace. */
const smallDisk = ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=150k tmpfs "$1" && shift && eval "$@"', 'sh', folder];
const canMount = spawnSync('unshare', [...smallDisk, 'true']).status === 0;

test.skipIf(!canMount)('a full disk while saving: a clear error, and the checkpoint before is whole', () => {
  const disk = fs.mkdtempSync(`${os.tmpdir()}/keyhole-disk-`);
  const run = (command: string): string => `"${process.execPath}" "${driver}" ${command} "${disk}"`;
  const inputs = [...smallDisk.slice(0, -1), disk, `${run('save')}; ${run('load')}`];
  const { stdout, stderr } = spawnSync('unshare', inputs, { encoding: 'utf8' });
  fs.rmdirSync(disk);
  expect(stderr).toMatch(/^writeAtomic: expected room on the disk for .*, got ENOSPC; .*\n$/);
  expect(stdout.trim().split('\n').at(-1)).toMatch(/^step 3 in step-1 step-2 step-3$/);
});

describe('kill -9 while training', () => {
  test('again and again, then left alone: the same weights and the same log as an undisturbed run', async () => {
    const whole = start('train', `${folder}/whole`);
    expect(await whole.ended).toBe(null);
    const path = `${folder}/killed`;
    for (let round = 0; round < 6; round++) {
      const { child, output, ended } = start('train', path);
      await until(() => output().includes('started') || child.exitCode !== null);
      await wait(30 + Math.random() * 100);
      child.kill('SIGKILL');
      await ended;
    }
    const rest = start('train', path);
    expect(await rest.ended).toBe(null);
    expect(rest.output()).toBe(whole.output());
    const log = (name: string): string => fs.readFileSync(`${folder}/${name}/metrics.jsonl`, 'utf8');
    expect(log('killed')).toBe(log('whole'));
    expect(openRun(path).record.status).toBe('finished');
  });

  test('a second process in the same run is told who is there, and changes nothing', async () => {
    const path = `${folder}/shared`;
    const first = start('train', path);
    await until(() => first.output().includes('started'));
    const { status, stderr } = spawnSync(process.execPath, [driver, 'train', path], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringContaining(`process ${first.child.pid} at work`)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(await first.ended).toBe(null);
    expect(openRun(path).record.status).toBe('finished');
  });
});
