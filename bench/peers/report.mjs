// What a run against the peers looks like in docs/performance.md: one table a case, Keyhole's best first.

const [begin, end] = ['<!-- peers: written by npm run bench:peers -->', '<!-- end of peers -->'];

/** The page with the tables between its two marks replaced. */
export function withTables(page, tables) {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md: expected the lines ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${tables}\n\n${page.slice(to)}`;
}

export function tablesOf({ cases, ...run }) {
  const { date, processor, processors, node, commit, loadAverage, note } = run;
  const load = `load average ${loadAverage.toFixed(1)} on ${processors} processors`;
  const head = `${date.slice(0, 10)}, ${processor}, Node ${node}, commit ${commit}, one thread each, ${load}. ${note}`;
  return [head.trim(), ...cases.map(tableOf)].join('\n\n');
}

function tableOf({ name, kind, B, H, L, D, contestants }) {
  const shape = kind === 'attention' ? `attention ${name}, B ${B}, H ${H}, L ${L}, D ${D}` : name;
  const ours = contestants.find((contestant) => contestant.name === 'keyhole');
  const portable = contestants.find((contestant) => contestant.name === 'keyhole-wasm');
  const rows = contestants.map((contestant) => rowOf(contestant, ours, portable));
  const columns = '| library | version | median ms | quartiles ms | GFLOP/s | time / Keyhole | time / Keyhole WASM |';
  return [`### ${shape[0].toUpperCase()}${shape.slice(1)}`, '', columns, '|---|---|---|---|---|---|---|', ...rows].join(
    '\n',
  );
}

function rowOf(contestant, ours, portable) {
  const { name, version, detail, problem } = contestant;
  if (problem !== undefined) return `| ${name} | ${version ?? ''} | ${problem} | | | | |`;
  const { medianMs, lowerQuartileMs, upperQuartileMs, gflops } = contestant;
  const ratio = (other) => (other?.medianMs === undefined ? '' : (medianMs / other.medianMs).toFixed(2));
  const label = detail === undefined ? name : `${name} (${detail})`;
  const spread = `${lowerQuartileMs.toFixed(2)} – ${upperQuartileMs.toFixed(2)}`;
  const cells = [label, version, medianMs.toFixed(2), spread, gflops.toFixed(1), ratio(ours), ratio(portable)];
  return `| ${cells.join(' | ')} |`;
}
