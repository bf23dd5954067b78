/**
 * A run is a folder: `runs/<task>-<yyyymmdd-hhmmss>-<word>/`, with run.json, the logs and the checkpoints in it.
 * Whoever writes holds its lock; whoever reads needs none, because every file is replaced whole.
 */

import { FormatError, StateError, UsageError } from '../core/errors.js';
import { CheckpointStore } from './checkpoint.js';
import { type Files, hostFiles } from './files.js';
import { findGitCommit } from './gitCommit.js';
import { DivergenceError } from './guard.js';
import type { TrainResult } from './options.js';
import { runName } from './runName.js';
import {
  encodeRecord,
  newRecord,
  parseRecord,
  type RunDescription,
  type RunRecord,
  type RunStatus,
} from './runRecord.js';

const recordFile = 'run.json';

export interface CreateRunOptions {
  /** Folder of all runs. Default `runs`. */
  readonly root?: string;
  /** The run's own folder, in place of a new one under `root`; it must not hold a run yet. */
  readonly folder?: string | undefined;
  readonly files?: Files;
  readonly now?: Date;
}

/** A run on disk. Made by `createRun`, `openRun` and `resumeRun`. */
export class Run {
  /** Absolute, with pointers followed, so that a newer `runs/latest` changes nothing. */
  readonly folder: string;
  readonly checkpoints: CheckpointStore;
  #record: RunRecord;
  readonly #files: Files;
  readonly #lock: { readonly release: () => void } | undefined;

  /** @internal */
  constructor(folder: string, record: RunRecord, files: Files, lock?: { readonly release: () => void }) {
    this.folder = folder;
    this.checkpoints = new CheckpointStore(`${folder}/checkpoints`, files);
    this.#record = record;
    this.#files = files;
    this.#lock = lock;
  }

  get record(): RunRecord {
    return this.#record;
  }

  /** Path of a file of this run: `metrics.jsonl`, `attention.jsonl`, `report.html`. */
  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Appends to a file of this run. Close it before the run. */
  lines(name: string): ReturnType<Files['appendLines']> {
    this.#requireLock('lines');
    return this.#files.appendLines(this.path(name));
  }

  /** The same for bytes. */
  bytes(name: string): ReturnType<Files['appendBytes']> {
    this.#requireLock('bytes');
    return this.#files.appendBytes(this.path(name));
  }

  /** Replaces a file of this run in one step. */
  write(name: string, contents: Parameters<Files['writeAtomic']>[1]): void {
    this.#files.writeAtomic(this.path(name), contents);
  }

  setStatus(status: RunStatus, reason?: string): void {
    this.#requireLock('setStatus');
    const { reason: _, ...record } = this.#record;
    this.#record = { ...record, status, ...(reason === undefined ? {} : { reason }) };
    this.write(recordFile, encodeRecord(this.#record));
  }

  /** Runs the training and writes down how it ended: its own status, `diverged`, or `stopped` for any other error. */
  async during(training: () => Promise<TrainResult>): Promise<TrainResult> {
    this.setStatus('running');
    try {
      const result = await training();
      this.setStatus(result.status);
      return result;
    } catch (error) {
      this.#noteEnd(error);
      throw error;
    }
  }

  /** On a disk that is full there is no room for the reason either, and the first error is the one to show. */
  #noteEnd(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    try {
      this.setStatus(error instanceof DivergenceError ? 'diverged' : 'stopped', reason);
    } catch {
      // run.json keeps saying `running`; the lock says that nobody is at work
    }
  }

  /** Lets another process write. */
  close(): void {
    this.#lock?.release();
  }

  #requireLock(name: string): void {
    if (this.#lock) return;
    throw new StateError(`${name}: expected a run opened for writing, got a read-only one; use createRun or resumeRun`);
  }
}

/**
 * Makes the folder of a new run, takes its lock, and points `latest` at it.
 *
 * Errors: UsageError when `folder` holds a run already; StateError when another process is at work there.
 */
export function createRun(description: RunDescription, options: CreateRunOptions = {}): Run {
  const { root = 'runs', files = hostFiles, now = new Date() } = options;
  const folder = options.folder ?? newFolder(`${root}/${runName(description.task, now)}`, files);
  const made = files.makeFolder(folder) || options.folder === undefined; // newFolder makes its own
  const real = files.realPath(folder);
  const lock = files.lockFolder(real);
  try {
    refuseRun(folder, files);
    const record = newRecord(description, now.toISOString(), findGitCommit(files) ?? null);
    files.writeAtomic(`${real}/${recordFile}`, encodeRecord(record));
    if (options.folder === undefined) files.pointTo(`${root}/latest`, folder.slice(root.length + 1));
    return new Run(real, record, files, lock);
  } catch (error) {
    lock.release();
    if (made) files.removeTree(real);
    throw error;
  }
}

/**
 * Opens a run for reading.
 *
 * Errors: UsageError when there is no such folder; FormatError when it holds no run, or a damaged or unknown one.
 */
export function openRun(path: string, files: Files = hostFiles): Run {
  const folder = findFolder(path, files);
  return new Run(folder, readRecord(folder, files), files);
}

/** Opens a run for going on: takes its lock and clears what a kill may have left half-written. */
export function resumeRun(path: string, files: Files = hostFiles): Run {
  const folder = findFolder(path, files);
  readRecord(folder, files);
  const lock = files.lockFolder(folder);
  try {
    for (const name of files.list(folder)) {
      if (/^\..*\.tmp$/.test(name)) files.removeTree(`${folder}/${name}`);
    }
    return new Run(folder, readRecord(folder, files), files, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function findFolder(path: string, files: Files): string {
  if (!files.exists(path)) {
    throw new UsageError(
      `openRun: expected a run folder at ${path}, got nothing there; try runs/latest, or train first`,
    );
  }
  return files.realPath(path);
}

function readRecord(folder: string, files: Files): RunRecord {
  const path = `${folder}/${recordFile}`;
  if (!files.exists(path)) {
    throw new FormatError(
      `openRun: expected ${recordFile} in ${folder}, got none; it is not a run, or never got started`,
    );
  }
  return parseRecord(files.readBytes(path), path);
}

function refuseRun(folder: string, files: Files): void {
  if (!files.exists(`${folder}/${recordFile}`)) return;
  throw new UsageError(
    `createRun: expected ${folder} to hold no run yet, got one; add --resume, or choose another folder`,
  );
}

/** The path, or with a number behind it when two runs begin in one second with one word. */
function newFolder(path: string, files: Files): string {
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? path : `${path}-${attempt}`;
    if (files.makeFolder(candidate)) return candidate;
  }
}
