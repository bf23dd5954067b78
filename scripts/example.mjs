// Runs one TypeScript file of examples/ on any supported Node: `node scripts/example.mjs examples/01-attention.ts`.
// Types are removed, nothing else changes; `keyhole` is the package itself, as built in dist/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('example: expected a file, such as examples/01-attention.ts');
  process.exit(2);
}
const folder = fileURLToPath(new URL('../build/examples/', import.meta.url)); // inside the package, so that `keyhole` is found
const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
  compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
});
mkdirSync(folder, { recursive: true });
const script = resolve(folder, basename(file).replace(/\.ts$/, '.mjs'));
writeFileSync(script, outputText);
await import(pathToFileURL(script).href);
