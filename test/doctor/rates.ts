/** How often every disease is found and its healthy twin accused, over seeds: `npm run doctor:rates`. */

import { loadBackend } from '../../src/backend/registry.js';
import { diagnose, isAtLeast } from '../../src/monitor/doctor/diagnose.js';
import { setBackend } from '../../src/tensor/create.js';
import { type Disease, diseases, twins } from './diseases.js';

/** Of one disease: seeds where the rule found it, and where findings of a severity accused the twin. */
interface Counts {
  /** As a warning or worse. */
  found: number;
  /** By any rule, at error or worse. */
  accused: number;
  /** By the rule of the disease, at warning. */
  warned: number;
  /** By the rule of the disease, as a note. */
  noted: number;
}

/** After every seed two tables over all seeds so far: diseases and their twins, and what healthy twins show. */
export async function* rates(seeds: number): AsyncGenerator<{ readonly seed: number; readonly tables: string }> {
  setBackend(await loadBackend());
  const counts = diseases.map((): Counts => ({ found: 0, accused: 0, warned: 0, noted: 0 }));
  const signals = new Map<string, Set<number>>();
  for (let seed = 1; seed <= seeds; seed++) {
    for (const [at, disease] of diseases.entries()) count(counts[at] as Counts, disease, seed, signals);
    yield { seed, tables: `${diseaseTable(counts, seed)}\n${signalTable(signals, seed)}` };
  }
}

function count(counts: Counts, disease: Disease, seed: number, signals: Map<string, Set<number>>): void {
  const { rule, make, twin } = disease;
  const options = { against: disease.against?.(seed) };
  const isFound = diagnose(make(seed), options).some(
    (finding) => finding.rule === rule && isAtLeast(finding, 'warning'),
  );
  if (isFound) counts.found++;
  const findings = diagnose(twins[twin](seed), options);
  const own = new Set(findings.filter((finding) => finding.rule === rule).map(({ severity }) => severity));
  if (findings.some((finding) => isAtLeast(finding, 'error'))) counts.accused++;
  if (own.has('warning')) counts.warned++;
  if (own.has('note')) counts.noted++;
  for (const { rule: name, severity } of findings) {
    const key = `| ${twin} | \`${name}\` | ${severity} |`;
    signals.set(key, (signals.get(key) ?? new Set()).add(seed));
  }
}

function diseaseTable(counts: readonly Counts[], seeds: number): string {
  const rows = diseases.map(({ fault, rule }, at) => {
    const { found, accused, warned, noted } = counts[at] as Counts;
    const cells = [found, accused, warned, noted].map((times) => `${times}/${seeds}`);
    return `| ${fault} | \`${rule}\` | ${cells.join(' | ')} |`;
  });
  const heading =
    '| fault | rule | found, warning or worse | twin: error or worse, any rule | twin: warning of this rule | twin: note of this rule |';
  return `${[heading, '|---|---|---|---|---|---|', ...rows].join('\n')}\n`;
}

function signalTable(signals: ReadonlyMap<string, ReadonlySet<number>>, seeds: number): string {
  const rows = [...signals]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, seen]) => `${key} ${seen.size}/${seeds} |`);
  return `${['| healthy twin | shows | as | seeds |', '|---|---|---|---|', ...rows].join('\n')}\n`;
}
