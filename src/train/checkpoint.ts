/**
 * Checkpoints: everything needed to go on as if nothing had happened, on disk as one folder a step.
 *
 * A folder is written under a hidden name, manifest (state.json) last, and then renamed, so a folder `step-N` is whole
 * or does not exist. Reading trusts nothing: lengths and hashes are compared, and what is damaged is passed over for the
 * checkpoint before it. What the manifest holds: manifest.ts. What training puts in: snapshot.ts.
 */

import { sha256 } from '#host';
import { FormatError, StateError } from '../core/errors.js';
import type { Files } from './files.js';
import { hostFiles } from './files.js';
import { encodeManifest, type FileFacts, type JsonValue, type Manifest, parseManifest } from './manifest.js';
import { encodeSafetensors, parseSafetensors, type StoredArray } from './safetensors.js';

/** The named arrays of one part of a checkpoint. */
export type StoredArrays = ReadonlyMap<string, StoredArray>;

/** What a checkpoint holds. */
export interface Checkpoint {
  /** Number of finished updates. */
  readonly step: number;
  /** The step whose weights did best so far; never pruned. Undefined before the first evaluation. */
  readonly bestStep: number | undefined;
  readonly model: StoredArrays;
  readonly optimiser: StoredArrays;
  /** Random state, data cursor and the loop's own memory. */
  readonly state: JsonValue;
}

/** A checkpoint, and a line for each damaged one that had to be passed over. */
export interface LoadedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly notices: readonly string[];
}

const stateFile = 'state.json';
const arrayFiles = { model: 'model.safetensors', optimiser: 'optimizer.safetensors' } as const;

/**
 * The checkpoints of one run. Keeps the last, the one before it, and the best.
 *
 * Errors: StateError when there is none, FormatError when all are damaged.
 */
export class CheckpointStore {
  readonly folder: string;
  readonly #files: Files;

  constructor(folder: string, files: Files = hostFiles) {
    this.folder = folder;
    this.#files = files;
  }

  /** Steps on disk, oldest first, damaged ones included. */
  steps(): number[] {
    if (!this.#files.exists(this.folder)) return [];
    const names = this.#files.list(this.folder).map((name) => /^step-(\d+)$/.exec(name)?.[1]);
    return names.flatMap((step) => (step === undefined ? [] : [Number(step)])).sort((a, b) => a - b);
  }

  /** Writes a checkpoint; killed at any moment, the disk holds the checkpoints of before or this one too. */
  save(checkpoint: Checkpoint): void {
    const temporary = `${this.folder}/.step-${checkpoint.step}.tmp`;
    this.#sweep();
    try {
      this.#write(temporary, checkpoint);
    } catch (error) {
      this.#files.removeTree(temporary);
      throw error;
    }
    if (this.#files.exists(this.#path(checkpoint.step))) this.#discard(checkpoint.step);
    this.#files.rename(temporary, this.#path(checkpoint.step));
    this.#prune(checkpoint);
  }

  /** Reads the newest good checkpoint, or the best one, or failing that the newest; or that of a step, and no other. */
  load(which: 'last' | 'best' | number = 'last'): LoadedCheckpoint {
    if (typeof which === 'number') return { checkpoint: this.#readKnown(which), notices: [] };
    const last = this.#loadNewest();
    const { step, bestStep } = last.checkpoint;
    if (which === 'last' || bestStep === undefined || bestStep === step) return last;
    try {
      return { checkpoint: this.#read(bestStep), notices: last.notices };
    } catch (error) {
      return { ...last, notices: [...last.notices, `${messageOf(error)}; using step-${step} in its place`] };
    }
  }

  #readKnown(step: number): Checkpoint {
    const steps = this.steps();
    if (steps.includes(step)) return this.#read(step);
    throw new StateError(
      `load: expected a checkpoint of step ${step} in ${this.folder}, got only those of ${steps.join(', ') || 'no step'}`,
    );
  }

  #loadNewest(): LoadedCheckpoint {
    const damaged: string[] = [];
    for (const step of this.steps().reverse()) {
      try {
        const checkpoint = this.#read(step);
        return { checkpoint, notices: damaged.map((reason) => `${reason}; using step-${step} in its place`) };
      } catch (error) {
        damaged.push(messageOf(error));
      }
    }
    if (damaged.length === 0)
      throw new StateError(`load: expected a checkpoint in ${this.folder}, got none; train first`);
    throw new FormatError(
      `load: expected a good checkpoint in ${this.folder}, got ${damaged.length} damaged; ${damaged[0]}`,
      {
        damaged,
      },
    );
  }

  #write(folder: string, { step, bestStep, model, optimiser, state }: Checkpoint): void {
    this.#files.makeFolder(folder);
    const files: Record<string, FileFacts> = {};
    for (const [name, arrays] of [
      [arrayFiles.model, model],
      [arrayFiles.optimiser, optimiser],
    ] as const) {
      const chunks = encodeSafetensors({ arrays, metadata: { step: String(step) } });
      this.#files.writeAtomic(`${folder}/${name}`, chunks);
      files[name] = { length: chunks.reduce((total, chunk) => total + chunk.length, 0), sha256: sha256(chunks) };
    }
    this.#files.writeAtomic(`${folder}/${stateFile}`, encodeManifest({ step, bestStep, files, state }));
  }

  #read(step: number): Checkpoint {
    const folder = this.#path(step);
    const manifest = parseManifest(this.#files.readBytes(`${folder}/${stateFile}`), `${folder}/${stateFile}`);
    if (manifest.step !== step)
      throw new FormatError(`load: expected ${folder} to hold step ${step}, got ${manifest.step}`);
    const model = this.#readArrays(folder, arrayFiles.model, manifest);
    const optimiser = this.#readArrays(folder, arrayFiles.optimiser, manifest);
    return { step, bestStep: manifest.bestStep, model, optimiser, state: manifest.state };
  }

  #readArrays(folder: string, name: string, manifest: Manifest): StoredArrays {
    const path = `${folder}/${name}`;
    const bytes = this.#files.readBytes(path);
    const facts = manifest.files[name];
    if (bytes.length !== facts?.length) {
      throw new FormatError(`load: expected ${facts?.length ?? 'no'} bytes in ${path}, got ${bytes.length}`);
    }
    if (sha256(bytes) !== facts.sha256)
      throw new FormatError(`load: expected the sha256 of ${path} to match, got another`);
    return parseSafetensors(bytes, path).arrays;
  }

  #prune({ step, bestStep }: Checkpoint): void {
    const previous = this.steps()
      .filter((other) => other < step)
      .at(-1);
    for (const other of this.steps()) {
      if (other !== step && other !== previous && other !== bestStep) this.#discard(other);
    }
  }

  /** Hides the folder in one step, so that a kill half-way never leaves half a checkpoint under its name. */
  #discard(step: number): void {
    const hidden = `${this.folder}/.step-${step}.old`;
    this.#files.removeTree(hidden);
    this.#files.rename(this.#path(step), hidden);
    this.#files.removeTree(hidden);
  }

  #sweep(): void {
    this.#files.makeFolder(this.folder);
    for (const name of this.#files.list(this.folder)) {
      if (/^\.step-\d+\.(tmp|old)$/.test(name)) this.#files.removeTree(`${this.folder}/${name}`);
    }
  }

  #path(step: number): string {
    return `${this.folder}/step-${step}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
