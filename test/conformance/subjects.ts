/**
 * Which backends and targets this machine can test, on one thread; threads.test.ts holds every other thread count to
 * the same bits. A target that cannot run here is named with its reason, never passed over.
 */

import type { Backend } from '../../src/backend/contract.js';
import { type LoadOptions, loadBackend } from '../../src/backend/registry.js';
import { onExactMemory } from './exactBackend.js';

export interface Subject {
  readonly name: string;
  readonly options: LoadOptions;
  readonly backend?: Backend;
  /** Why it cannot run here. */
  readonly missing?: string;
}

const wanted: readonly LoadOptions[] = [
  { backend: 'reference' },
  { backend: 'native', target: 'baseline', threads: 1 },
  { backend: 'native', target: 'avx2', threads: 1 },
  { backend: 'native', target: 'avx512', threads: 1 },
  { backend: 'native', target: 'neon', threads: 1 },
  { backend: 'wasm', target: 'simd' },
  { backend: 'wasm', target: 'relaxed' },
];

function nameOf({ backend, target }: LoadOptions): string {
  return target === undefined ? `${backend}` : `${backend} ${target}`;
}

async function load(options: LoadOptions): Promise<Subject> {
  const name = nameOf(options);
  try {
    const backend = await loadBackend(options);
    const exact = process.env.KEYHOLE_SANITIZE && options.backend === 'native';
    return { name, options, backend: exact ? onExactMemory(backend) : backend };
  } catch (error) {
    return { name, options, missing: (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ') };
  }
}

const chosen = wanted.filter((options) => nameOf(options).startsWith(process.env.KEYHOLE_SUBJECTS ?? ''));

/** Every subject, loaded or with the reason why not; `KEYHOLE_SUBJECTS=native` leaves those whose name starts so. */
export const subjects: readonly Subject[] = await Promise.all(chosen.map(load));
