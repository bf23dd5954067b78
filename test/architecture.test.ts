/**
 * The house plan as a test: which layer may import which, no cycles, and sizes that a reader can hold in the head.
 * The table is the one of ARCHITECTURE.md.
 */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { nodes, readSources, type Source } from './architecture/sources.js';

const tensorAndBelow = ['tensor', 'backend', 'core'];
const nnAndBelow = ['nn', 'attention', 'tensor', 'core'];
const trainAndBelow = [...nnAndBelow, 'train', 'data', 'metrics', 'host'];

/** What each layer may import beside its own folder. `host` always means the door `#host`. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  host: [],
  backend: ['core', 'host'],
  tensor: tensorAndBelow,
  attention: ['tensor', 'core'],
  nn: nnAndBelow,
  models: nnAndBelow,
  data: ['core', 'host'],
  metrics: ['core'],
  train: trainAndBelow,
  tasks: [...trainAndBelow, 'models'],
  monitor: ['metrics', 'core'],
  viz: ['core'],
};

const sources = readSources();
const handWritten = sources.filter(({ path }) => !path.endsWith('.generated.ts'));
const isIndex = (path: string): boolean => path.endsWith('index.ts');
const offences = (rule: (source: Source) => readonly string[]): string[] =>
  sources.flatMap((source) => rule(source).map((what) => `${source.path}: ${what}`));

describe('layers', () => {
  it('knows every folder of src/', () => {
    const folders = new Set(sources.map(({ layer }) => layer));
    folders.delete('');
    folders.delete('cli');
    expect([...folders].filter((folder) => !(folder in mayImport))).toEqual([]);
  });

  it('imports only from its own folder and the layers named beside it', () => {
    const found = offences(({ layer, imports }) => {
      const allowed = mayImport[layer];
      if (allowed === undefined) return []; // src/index.ts and cli/ see everything
      return imports
        .filter(({ path }) => path !== undefined)
        .map(({ specifier, path }) => ({ specifier, other: path?.split('/')[0] ?? '' }))
        .filter(({ other }) => other !== layer && !allowed.includes(other))
        .map(({ specifier }) => specifier);
    });
    expect(found).toEqual([]);
  });

  it('reaches the host only through #host', () => {
    const found = offences(({ layer, imports }) =>
      imports
        .filter(({ specifier, path }) => layer !== 'host' && path?.startsWith('host/') && specifier !== '#host')
        .map(({ specifier }) => specifier),
    );
    expect(found).toEqual([]);
  });

  it('gives tensor/ the contract of backends and its lists, never an implementation', () => {
    const found = offences(({ layer, imports }) =>
      imports
        .filter(({ path }) => layer === 'tensor' && path?.startsWith('backend/'))
        .filter(({ path }) => !/^backend\/(contract|kernels\.generated|dropout)\.ts$/.test(path ?? ''))
        .map(({ specifier }) => specifier),
    );
    expect(found).toEqual([]);
  });

  it('uses node:* only in host/ and cli/', () => {
    const found = offences(({ layer, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('node:') && layer !== 'host' && layer !== 'cli')
        .map(({ specifier }) => specifier),
    );
    expect(found).toEqual([]);
  });

  it('imports index.ts from nowhere but another index.ts and the command line', () => {
    const found = offences(({ path, layer, imports }) =>
      imports
        .filter((other) => !isIndex(path) && layer !== 'cli' && other.path !== undefined && isIndex(other.path))
        .map(({ specifier }) => specifier),
    );
    expect(found).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(findCycle(sources)).toEqual([]);
  });
});

describe('files', () => {
  it('re-export only, when called index.ts', () => {
    const found = offences(({ path, parsed }) =>
      isIndex(path)
        ? parsed.statements.filter((statement) => !ts.isExportDeclaration(statement)).map((node) => node.getText())
        : [],
    );
    expect(found).toEqual([]);
  });

  it('start with a header that says what they are', () => {
    const found = handWritten.filter(({ parsed }) => !/^(#!.*\n)?\/\*\*/.test(parsed.text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  it('do not await at the top level', () => {
    const found = offences(({ parsed }) =>
      [...nodes(parsed)]
        .filter((node) => ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined))
        .filter((node) => !insideFunction(node))
        .map((node) => node.getText()),
    );
    expect(found).toEqual([]);
  });

  it('never say any, enum, namespace, nor non-null ! outside backend/', () => {
    const found = offences(({ layer, parsed }) =>
      [...nodes(parsed)]
        .filter(
          (node) =>
            node.kind === ts.SyntaxKind.AnyKeyword ||
            ts.isEnumDeclaration(node) ||
            ts.isModuleDeclaration(node) ||
            (ts.isNonNullExpression(node) && layer !== 'backend'),
        )
        .map((node) => node.parent.getText().slice(0, 80)),
    );
    expect(found).toEqual([]);
  });

  it('stay under 400 lines', () => {
    expect(handWritten.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  it('hold short functions: median at most 10 lines, 90 % under 45', () => {
    const lengths = handWritten.flatMap(({ functions }) => functions.map(({ lines }) => lines)).sort((a, b) => a - b);
    const quantile = (share: number): number => lengths[Math.floor(share * (lengths.length - 1))] ?? 0;
    expect(quantile(0.5)).toBeLessThanOrEqual(10);
    expect(quantile(0.9)).toBeLessThan(45);
  });

  it('that are generated are fresh', () => {
    const script = fileURLToPath(new URL('../scripts/generate-kernels.mjs', import.meta.url));
    expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
  });
});

/** The files of one import cycle, first to first; empty when there is none. */
function findCycle(all: readonly Source[]): string[] {
  const byPath = new Map(all.map((source) => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const { path: next } of byPath.get(path)?.imports ?? []) {
      const cycle = next === undefined ? [] : visit(next, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const { path } of all) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function insideFunction(node: ts.Node): boolean {
  for (let parent = node.parent; parent !== undefined; parent = parent.parent) {
    if (ts.isFunctionLike(parent)) return true;
  }
  return false;
}
