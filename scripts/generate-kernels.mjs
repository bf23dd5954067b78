// Turns native/kernels.def into the C++ enums and the TypeScript table. `--check` only compares (exit 1 when stale).
import { readFileSync, writeFileSync } from 'node:fs';

const source = readFileSync(new URL('../native/kernels.def', import.meta.url), 'utf8').replace(/\/\/.*$/gm, '');
const kernels = [...source.matchAll(/KERNEL\((\w+),\s*"([^"]*)",\s*"([^"]*)"\)/g)].map(
  ([, name, operands, scalars]) => ({ name, operands, scalars }),
);
const codes = (macro) => [...source.matchAll(new RegExp(`\\b${macro}\\((\\w+)\\)`, 'g'))].map((match) => match[1]);
const lists = {
  unaryOps: codes('UNARY'),
  binaryOps: codes('BINARY'),
  reduceOps: codes('REDUCE'),
  activations: codes('ACTIVATION'),
  statistics: codes('STATISTIC'),
  scoreOps: codes('SCORE'),
};

const split = (text) => text.split(' ').filter(Boolean);
const operandNames = (kernel) => split(kernel.operands).map((operand) => operand.split(':')[0]);
const dimNames = (kernel) =>
  [...new Set(split(kernel.operands).flatMap((operand) => operand.match(/\[(.*)\]/)[1].split(',')))].filter((dim) =>
    /^[A-Z]/.test(dim),
  );

const banner = '// Generated from native/kernels.def by scripts/generate-kernels.mjs; do not edit.\n';
const enumOf = (name, prefix, items) =>
  items.length ? `  enum ${name} { ${items.map((item) => prefix + item).join(', ')} };\n` : '';
const header = [
  banner,
  '#pragma once\n',
  ...kernels.map(
    (kernel) =>
      `namespace ${kernel.name}_call {\n${enumOf('operand', 'o_', operandNames(kernel))}${enumOf('dim', 'd_', dimNames(kernel))}${enumOf('scalar', 's_', split(kernel.scalars))}}`,
  ),
  ...Object.entries(lists).map(
    ([name, items]) =>
      `namespace ${name} {\n${enumOf(
        'code',
        '',
        items.map((item) => (item === 'none' ? item : `${item}_`)),
      )}  constexpr int count = ${items.length};\n}`,
  ),
  '',
].join('\n');
const constList = (name, items) => `export const ${name} = [${items.map((item) => `'${item}'`).join(', ')}] as const;`;
const table = [
  banner,
  'export const kernelTable = {',
  ...kernels.map(
    ({ name, operands, scalars }) =>
      `  ${name}: {\n    operands:\n      '${operands}',\n    scalars: '${scalars}',\n  },`,
  ),
  '} as const;\n',
  ...Object.entries(lists)
    .filter(([name]) => name !== 'statistics' && name !== 'scoreOps')
    .map(([name, items]) => constList(name, items)),
  '',
].join('\n');
const words = (name) => `${banner}\n${constList(name, lists[name])}\n`;

const outputs = {
  'native/kernels.generated.h': header,
  'src/backend/kernels.generated.ts': table,
  'src/core/statistics.generated.ts': words('statistics'),
  'src/core/scoreOps.generated.ts': words('scoreOps'),
};
let stale = 0;
for (const [path, text] of Object.entries(outputs)) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(url, text);
  else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${path} is stale; run npm run generate`);
    stale = 1;
  }
}
process.exitCode = stale;
