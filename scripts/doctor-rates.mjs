// `npm run doctor:rates -- 20`: every disease of test/doctor and its healthy twin over so many seeds (default 20), 6 s each
// on a quiet machine. The tables of docs/doctor.md are written after every seed, so that a run that is ended early leaves
// what it counted. Not a test: rates are reported as they are.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = new URL('../docs/doctor.md', import.meta.url);
const seeds = Number(process.argv[2] ?? 20);
const [begin, end] = ['<!-- rates -->\n', '<!-- end of rates -->\n'];

const alias = [{ find: '#host', replacement: `${root}src/host/node.ts` }];
const { module } = await runnerImport(`${root}test/doctor/rates.ts`, { root, configFile: false, resolve: { alias } });

for await (const { seed, tables } of module.rates(seeds)) {
  const text = readFileSync(page, 'utf8');
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  writeFileSync(page, `${before}${begin}Over ${seed} seeds:\n\n${tables}${end}${after}`);
  console.log(`seed ${seed} of ${seeds}`);
}
