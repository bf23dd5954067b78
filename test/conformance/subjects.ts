/**
 * Which backends and targets this machine can test, on one thread; threads.test.ts holds every other thread count to
 * the same bits. A target that cannot run here is named with its reason, never passed over.
 */

import type { Backend } from '../../src/backend/contract.js';
import { type LoadOptions, loadBackend } from '../../src/backend/registry.js';

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
    return { name, options, backend: await loadBackend(options) };
  } catch (error) {
    return { name, options, missing: (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ') };
  }
}

/** Every subject, loaded or with the reason why not. */
export const subjects: readonly Subject[] = await Promise.all(wanted.map(load));
