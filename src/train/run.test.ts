import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FormatError, StateError, UsageError } from '../core/errors.js';
import { hostFiles } from './files.js';
import { findGitCommit } from './gitCommit.js';
import { DivergenceError } from './guard.js';
import { createRun, openRun, resumeRun } from './run.js';
import type { RunDescription } from './runRecord.js';

const description: RunDescription = {
  task: 'g2p',
  configuration: { steps: 10, schedule: 'cosine' },
  seed: 1,
  versions: { keyhole: '0.1.0', node: '20.20.0' },
  backend: 'native',
  target: 'avx512',
  vocabularies: { source: ['a', 'b'] },
};
const result = { status: 'finished', step: 10, best: null, trainLoss: 1, tokensPerSecond: 1 } as const;

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(`${fs.realpathSync(os.tmpdir())}/keyhole-run-`);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const create = () => createRun(description, { root, now: new Date(2026, 10, 3, 9, 5, 7) });

describe('a run', () => {
  test('is a folder with a name that sorts, and runs/latest points at it', () => {
    const run = create();
    expect(run.folder.slice(root.length)).toMatch(/^\/g2p-20261103-090507-[a-z]+$/);
    expect(fs.readlinkSync(`${root}/latest`)).toBe(run.folder.slice(root.length + 1));
    expect(openRun(`${root}/latest`).folder).toBe(run.folder);
    expect(openRun(run.folder).record).toEqual({
      ...description,
      format: 1,
      gitCommit: expect.toSatisfy((commit) => commit === null || /^[0-9a-f]{40}$/.test(String(commit))),
      startedAt: new Date(2026, 10, 3, 9, 5, 7).toISOString(),
      status: 'running',
    });
  });

  test('the pointer moves to the newest; an open run stays where it is', () => {
    create().close();
    const first = resumeRun(`${root}/latest`);
    const second = create();
    expect(openRun(`${root}/latest`).folder).toBe(second.folder);
    first.setStatus('stopped');
    expect([openRun(first.folder).record.status, openRun(second.folder).record.status]).toEqual(['stopped', 'running']);
  });

  test('appends lines, whole ones only after flush', () => {
    const run = create();
    const writer = run.lines('metrics.jsonl');
    writer.write('{"step":1}');
    writer.flush();
    writer.write('{"step":2}');
    expect(fs.readFileSync(run.path('metrics.jsonl'), 'utf8')).toBe('{"step":1}\n');
    writer.close();
    expect(fs.readFileSync(run.path('metrics.jsonl'), 'utf8')).toBe('{"step":1}\n{"step":2}\n');
  });

  test('writes down how training ended', async () => {
    const run = create();
    const status = (): unknown => openRun(run.folder).record.status;
    await run.during(async () => {
      expect(status()).toBe('running');
      return result;
    });
    expect(status()).toBe('finished');
    await run.during(async () => ({ ...result, status: 'stopped' }));
    expect(status()).toBe('stopped');
    const diverged = new DivergenceError(7, 'loss', 'encoder.norm');
    await expect(run.during(() => Promise.reject(diverged))).rejects.toBe(diverged);
    expect(openRun(run.folder).record).toMatchObject({
      status: 'diverged',
      reason: expect.stringContaining('encoder.norm'),
    });
    await expect(run.during(() => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
    expect(openRun(run.folder).record).toMatchObject({ status: 'stopped', reason: 'no room' });
  });

  test('in a folder of the caller’s choice; never over another run', () => {
    const folder = `${root}/mine/deep`;
    createRun(description, { root, folder }).close();
    expect(openRun(folder).record.task).toBe('g2p');
    expect(fs.existsSync(`${root}/latest`)).toBe(false);
    expect(() => createRun(description, { root, folder })).toThrow(UsageError);
    resumeRun(folder).close();
  });

  test('has one writer at a time', () => {
    const run = create();
    expect(() => resumeRun(run.folder)).toThrow(new RegExp(`process ${process.pid} at work`));
    expect(() => resumeRun(run.folder)).toThrow(StateError);
    expect(() => openRun(run.folder).setStatus('finished')).toThrow(/read-only/);
    run.close();
    resumeRun(run.folder).close();
  });

  test('resuming sweeps up what a kill left behind', () => {
    const run = create();
    run.close();
    fs.writeFileSync(`${run.folder}/.run.json.999.tmp`, 'half');
    resumeRun(run.folder).close();
    expect(fs.readdirSync(run.folder)).toEqual(['run.json']);
  });
});

describe('what is not a run', () => {
  const damaged: Record<string, string> = {
    empty: '',
    'cut short': '{"format":1,"task":"g2p"',
    'not an object': '[]',
    'a field missing': '{"format":1}',
    'another version': '{"format":2}',
    'a flipped status': JSON.stringify({
      ...description,
      format: 1,
      gitCommit: null,
      startedAt: 'now',
      status: 'runnynk',
    }),
    'a name twice': '{"format":1,"format":1}',
  };
  for (const [name, text] of Object.entries(damaged)) {
    test(`run.json ${name}: one clear line`, () => {
      fs.writeFileSync(`${root}/run.json`, text);
      for (const open of [openRun, resumeRun]) {
        expect(() => open(root)).toThrow(FormatError);
        expect(() => open(root)).toThrow(
          expect.objectContaining({ message: expect.stringMatching(/^.*run\.json.{0,300}$/) }),
        );
      }
    });
  }

  test('nothing there, a folder without a run, and a file', () => {
    fs.writeFileSync(`${root}/file`, '');
    expect(() => openRun(`${root}/nowhere`)).toThrow(UsageError);
    expect(() => openRun(root)).toThrow(/never got started/);
    expect(() => openRun(`${root}/file`)).toThrow(FormatError);
  });
});

describe('the git commit', () => {
  const commit = 'a'.repeat(40);
  const git = (name: string, content: string): void => {
    fs.mkdirSync(`${root}/.git/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
    fs.writeFileSync(`${root}/.git/${name}`, content);
  };

  test('from a branch, packed references, a detached head, and from a folder below', () => {
    git('HEAD', 'ref: refs/heads/main\n');
    git('packed-refs', `# pack-refs\n${commit} refs/heads/main\n`);
    expect(findGitCommit(hostFiles, root)).toBe(commit);
    git('refs/heads/main', `${'b'.repeat(40)}\n`);
    fs.mkdirSync(`${root}/a/b`, { recursive: true });
    expect(findGitCommit(hostFiles, `${root}/a/b`)).toBe('b'.repeat(40));
    git('HEAD', commit);
    expect(findGitCommit(hostFiles, root)).toBe(commit);
  });

  test('undefined where there is none or it is broken', () => {
    expect(findGitCommit(hostFiles, '/proc/self')).toBeUndefined();
    git('HEAD', 'ref: refs/heads/main\n');
    expect(findGitCommit(hostFiles, root)).toBeUndefined();
  });
});
