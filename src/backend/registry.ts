/**
 * Chooses a backend: native, then WASM with relaxed SIMD, then WASM, then the reference. Every failed step is kept with
 * its reason; a backend that was asked for by name is loaded or the call fails, never replaced by another.
 *
 * The registry imports the implementations, never the other way round. Next: contract.ts.
 */

import { BackendError, UsageError } from '../core/errors.js';
import type { Backend } from './contract.js';
import { createNativeBackend } from './native/createNativeBackend.js';
import { createReferenceBackend } from './reference/createReferenceBackend.js';
import { createWasmBackend } from './wasm/createWasmBackend.js';

export interface LoadOptions {
  /** Load this one or fail. Default: `KEYHOLE_BACKEND`, else the first that works. */
  readonly backend?: BackendName;
  /** Instruction set: `avx512`, `avx2`, `neon` or `baseline` for native, `relaxed` or `simd` for wasm. */
  readonly target?: string;
  /** Worker threads. Default: `KEYHOLE_THREADS`, else what the backend finds. */
  readonly threads?: number;
}

export type BackendName = (typeof backendNames)[number];

/** One step of the load order that failed. */
export interface LoadAttempt {
  readonly backend: BackendName;
  readonly target?: string | undefined;
  readonly reason: string;
}

interface Request {
  readonly target?: string | undefined;
  readonly threads?: number | undefined;
}

type Create = (request: Request) => Promise<Backend> | Backend;

const backendNames = ['native', 'wasm', 'reference'] as const;

const creators: Readonly<Record<BackendName, Create>> = {
  native: (request) => createNativeBackend(request),
  wasm: ({ target }) => createWasmBackend({ variant: target }),
  reference: () => createReferenceBackend(),
};

/** The order in which backends are tried when none is named. */
const loadOrder: readonly { readonly backend: BackendName; readonly target?: string }[] = [
  { backend: 'native' },
  { backend: 'wasm', target: 'relaxed' },
  { backend: 'wasm', target: 'simd' },
  { backend: 'reference' },
];

const loaded = new Map<string, Promise<Backend>>();
const failures: LoadAttempt[] = [];

/** Every step that failed since the program started, oldest first. */
export function loadAttempts(): readonly LoadAttempt[] {
  return failures;
}

/**
 * The best backend that works here, or exactly the one asked for; the same object for the same options.
 *
 * Options left out come from `KEYHOLE_BACKEND` (`native`, `wasm`, `reference`, or with a target: `native:avx2`) and
 * `KEYHOLE_THREADS`.
 *
 * @throws UsageError for an unknown name; BackendError when the backend asked for cannot be loaded.
 */
export async function loadBackend(options: LoadOptions = {}): Promise<Backend> {
  const { backend, target, threads } = withEnvironment(options);
  const key = JSON.stringify([backend, target, threads]);
  const found = loaded.get(key) ?? load(backend, { target, threads });
  loaded.set(key, found);
  found.catch(() => loaded.delete(key));
  return found;
}

async function load(backend: BackendName | undefined, request: Request): Promise<Backend> {
  const steps = backend === undefined ? loadOrder : [{ backend, target: request.target }];
  const reasons: string[] = [];
  for (const step of steps) {
    try {
      return await creators[step.backend]({ ...request, target: step.target });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ ...step, reason });
      reasons.push(`${step.backend}${step.target ? `:${step.target}` : ''}: ${reason}`);
    }
  }
  throw new BackendError(`loadBackend: expected ${backend ?? 'a backend'} to load, got\n  ${reasons.join('\n  ')}`, {
    reasons,
  });
}

function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}

function withEnvironment(options: LoadOptions): Request & { readonly backend: BackendName | undefined } {
  const [name, variant] = environment('KEYHOLE_BACKEND')?.split(':') ?? [];
  const backend = options.backend ?? name;
  const target = options.target ?? (options.backend === undefined ? variant : undefined);
  const threads = options.threads ?? environment('KEYHOLE_THREADS');
  if (backend === undefined && target !== undefined)
    throw new UsageError(`loadBackend: expected a backend to go with target ${target}, got none`);
  return { backend: checkName(backend), target, threads: checkThreads(threads) };
}

function checkName(name: string | undefined): BackendName | undefined {
  const known = backendNames.find((candidate) => candidate === name);
  if (name !== undefined && known === undefined)
    throw new UsageError(`loadBackend: expected backend ${backendNames.join(', ')}, got ${name}; see KEYHOLE_BACKEND`);
  return known;
}

function checkThreads(threads: number | string | undefined): number | undefined {
  if (threads === undefined) return undefined;
  const count = Number(threads);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new UsageError(`loadBackend: expected threads >= 1, got ${threads}; see KEYHOLE_THREADS`);
  return count;
}
