import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as browser from '../browser/files.js';
import * as files from './files.js';
import { lockFolder } from './lock.js';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(`${fs.realpathSync(os.tmpdir())}/keyhole-files-`);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

describe('writeAtomic', () => {
  test('writes text, bytes and chunks', () => {
    for (const contents of ['aé', new TextEncoder().encode('aé'), [Uint8Array.of(0x61), Uint8Array.of(0xc3, 0xa9)]]) {
      files.writeAtomic(`${folder}/a`, contents);
      expect(files.readText(`${folder}/a`)).toBe('aé');
    }
  });

  test('keeps the old file and removes its own when it fails half-way', () => {
    files.writeAtomic(`${folder}/a`, 'old');
    const failing = function* (): Generator<Uint8Array> {
      yield Uint8Array.of(1);
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    expect(() => files.writeAtomic(`${folder}/a`, failing())).toThrow('no space');
    expect(fs.readdirSync(folder)).toEqual(['a']);
    expect(files.readText(`${folder}/a`)).toBe('old');
  });
});

test('sha256 is the published one', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // FIPS 180-2, appendix B.1
  expect(files.sha256('abc')).toBe(abc);
  expect(files.sha256([Uint8Array.of(0x61), Uint8Array.of(0x62, 0x63)])).toBe(abc);
});

test('folders, devices and pipes are not read as files', () => {
  for (const path of [folder, '/dev/zero']) {
    expect(() => files.readBytes(path)).toThrow(expect.objectContaining({ code: 'ENOTFILE' }));
  }
});

test('makeFolder says whether it made one', () => {
  expect([files.makeFolder(`${folder}/a/b`), files.makeFolder(`${folder}/a/b`)]).toEqual([true, false]);
});

test('pointTo replaces a pointer in one step and never a folder', () => {
  for (const target of ['a', 'b']) {
    files.makeFolder(`${folder}/${target}`);
    files.pointTo(`${folder}/latest`, target);
    expect(files.realPath(`${folder}/latest`)).toBe(`${folder}/${target}`);
  }
  expect(() => files.pointTo(`${folder}/a`, 'b')).toThrow();
  expect(fs.readdirSync(folder)).toEqual(['a', 'b', 'latest']);
});

describe('appendLines', () => {
  test('continues a file', () => {
    for (const line of ['1', '2']) {
      const writer = files.appendLines(`${folder}/log`);
      writer.write(line);
      writer.close();
    }
    expect(files.readText(`${folder}/log`)).toBe('1\n2\n');
  });

  test('takes a write back that went through in part, and keeps it waiting', () => {
    const path = `${folder}/log`;
    const writer = files.appendLines(path);
    writer.write('first');
    writer.flush();
    writer.write('second');
    const full = vi.spyOn(fs, 'writeSync').mockImplementationOnce((file, bytes) => {
      full.mockRestore();
      fs.writeSync(file, (bytes as unknown as Uint8Array).subarray(0, 3)); // half a line, and then the disk is full
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    expect(() => writer.flush()).toThrow('no space');
    expect(files.readText(path)).toBe('first\n');
    writer.close();
    expect(files.readText(path)).toBe('first\nsecond\n');
  });

  test.skipIf(!fs.existsSync('/dev/full'))('says so when the disk is full', () => {
    const writer = files.appendLines('/dev/full');
    writer.write('1');
    expect(() => writer.flush()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  });
});

describe('lockFolder', () => {
  const release = (outcome: ReturnType<typeof lockFolder>): void =>
    'release' in outcome ? outcome.release() : expect.fail('held');
  /** The id of a process that has ended. */
  const dead = (): number => spawnSync(process.execPath, ['--version']).pid;

  test('is held until released, under any name of the folder', () => {
    const lock = lockFolder(folder);
    files.pointTo(`${folder}/self`, '.');
    expect(lockFolder(`${folder}/self`)).toEqual({ heldBy: process.pid });
    release(lock);
    release(lockFolder(folder));
    expect(fs.readdirSync(folder)).toEqual(['self']);
  });

  test('names the process that has it', () => {
    const parent = process.ppid;
    const started = fs.readFileSync(`/proc/${parent}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
    fs.writeFileSync(`${folder}/.lock`, `${parent} ${started}`);
    expect(lockFolder(folder)).toEqual({ heldBy: parent });
  });

  test.each([
    ['a process that is gone', () => String(dead())],
    ['a process whose id was given away again', () => `${process.ppid} 1`],
    ['nobody, after a power cut', () => ''],
  ])('is taken over from %s', (_, content) => {
    fs.writeFileSync(`${folder}/.lock`, content());
    fs.writeFileSync(`${folder}/.lock.next`, content()); // one more that died while taking over
    release(lockFolder(folder));
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

test('the browser has the same names and refuses them all', () => {
  expect(Object.keys(browser).sort()).toEqual([...Object.keys(files), 'lockFolder'].sort());
  for (const [name, call] of Object.entries(browser)) {
    expect(() => (call as (path: string) => unknown)('x')).toThrow(`${name}: expected a file system, got a browser`);
  }
});
