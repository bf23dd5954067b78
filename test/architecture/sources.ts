/**
 * Every source file as the TypeScript parser sees it: what it imports, how long it and its functions are.
 *
 * Facts only; the rules are in ../architecture.test.ts.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface Source {
  /** Path below src/, such as `nn/linear.ts`. */
  readonly path: string;
  /** First folder of the path, '' for src/index.ts. */
  readonly layer: string;
  readonly lines: number;
  /** Module specifiers as written, and paths below src/ for those that are files of ours. */
  readonly imports: readonly { readonly specifier: string; readonly path: string | undefined }[];
  /** Lines of every function that has a body. */
  readonly functions: readonly { readonly name: string; readonly lines: number }[];
  readonly parsed: ts.SourceFile;
}

const root = fileURLToPath(new URL('../../src/', import.meta.url));

/** All files of src/ except tests and generated tables. */
export function readSources(): Source[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .sort()
    .map(readSource);
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return {
    path,
    layer: path.includes('/') ? (path.split('/')[0] ?? '') : '',
    lines: text.split('\n').length - 1,
    imports: specifiers(parsed).map((specifier) => ({ specifier, path: target(path, specifier) })),
    functions: functionsOf(parsed),
    parsed,
  };
}

/** Every node of a file, in order. */
export function* nodes(node: ts.Node): Generator<ts.Node> {
  yield node;
  for (const child of node.getChildren()) yield* nodes(child);
}

function specifiers(file: ts.SourceFile): string[] {
  const found: string[] = [];
  for (const node of nodes(file)) {
    const from =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined;
    if (from && ts.isStringLiteral(from)) found.push(from.text);
  }
  return found;
}

/** `#host` and relative specifiers as paths below src/; undefined for packages and for node:*. */
function target(from: string, specifier: string): string | undefined {
  if (specifier === '#host') return 'host/node.ts';
  if (!specifier.startsWith('.')) return undefined;
  return relative(root, resolve(root, dirname(from), specifier)).replace(/\.js$/, '.ts');
}

function functionsOf(file: ts.SourceFile): { name: string; lines: number }[] {
  const line = (position: number): number => file.getLineAndCharacterOfPosition(position).line;
  return [...nodes(file)].flatMap((node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return [];
    const name = node.name?.getText() ?? 'anonymous';
    return [{ name, lines: line(node.end) - line(node.getStart()) + 1 }];
  });
}
