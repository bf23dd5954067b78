// What a run against the peers looks like in docs/performance.md: one table a case, Keyhole's best first.

const [begin, end] = ['<!-- peers: written by npm run bench:peers -->', '<!-- end of peers -->'];

/** The page with the tables between its two marks replaced. */
export function withTables(page, tables) {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md: expected the lines ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${tables}\n\n${page.slice(to)}`;
}

export function tablesOf({ cases, ...run }) {
  const { date, processor, processors, node, commit, loadAverage, note, limits } = run;
  const load = `load average ${loadAverage.toFixed(1)} on ${processors} processors`;
  const head = `${date.slice(0, 10)}, ${processor}, Node ${node}, commit ${commit}, one thread each, ${load}. ${note}`;
  return [head.trim(), limitsLine(limits), ...cases.map(tableOf)].join('\n\n');
}

function limitsLine({ native, wasm }) {
  const line = (name, { peakGflops, copyGigabytesPerSecond }) =>
    `${name} ${peakGflops.toFixed(1)} GFLOP/s and ${copyGigabytesPerSecond.toFixed(1)} GB/s copied`;
  return `Peak on one thread: ${line('compiled', native)}, ${line('WebAssembly', wasm)}.`;
}

function tableOf(result) {
  const { name, kind, B, H, G, L, S, D, contestants } = result;
  const titles = {
    matmul: name,
    attention: `Attention ${name}, B ${B}, H ${H}, L ${L}, D ${D}`,
    decode: `Decoding one query, B ${B}, H ${H}, G ${G}, S ${S}, D ${D}`,
  };
  const title = titles[kind];
  const rows = contestants.map((contestant) =>
    rowOf(contestant, named(result, 'keyhole'), named(result, 'keyhole-wasm')),
  );
  const columns =
    '| library | version | median ms | quartiles ms | GFLOP/s | of peak | time / Keyhole | time / Keyhole WASM |';
  const table = [
    `### ${title[0].toUpperCase()}${title.slice(1)}`,
    '',
    columns,
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ];
  return [table.join('\n'), ...remarksOf(result)].join('\n\n');
}

function named({ contestants }, name) {
  return contestants.find((contestant) => contestant.name === name);
}

/** The ratios that are promised, what they would take of the peak, and what the record costs. */
function remarksOf(result) {
  const promised = Object.entries(result.atLeast ?? {}).map(([name, atLeast]) => promiseOf(result, name, atLeast));
  const costs = ['keyhole', 'keyhole-wasm'].map((name) => recordOf(result, name));
  const remarks = [...promised, ...costs].filter((remark) => remark !== '');
  return remarks.length === 0 ? [] : [remarks.map((remark) => `- ${remark}`).join('\n')];
}

function promiseOf(result, name, atLeast) {
  const [peer, ours] = [named(result, name), named(result, name === 'onnxruntime-node' ? 'keyhole' : 'keyhole-wasm')];
  if (peer?.medianMs === undefined || ours?.medianMs === undefined) return '';
  const ratio = (peer.medianMs / ours.medianMs).toFixed(2);
  const share = (100 * atLeast * peer.peakRatio).toFixed(0);
  return `${name} takes ${ratio} × the time of ${ours.name}; aim ${atLeast} ×, which is ${share} % of the peak.`;
}

function recordOf(result, name) {
  const [plain, recorded] = [named(result, name), named(result, `${name}-record`)];
  if (plain?.medianMs === undefined || recorded?.medianMs === undefined) return '';
  return `The default record takes ${(recorded.medianMs / plain.medianMs).toFixed(3)} × the time of ${name} without.`;
}

function rowOf(contestant, ours, portable) {
  const { name, version, detail, problem } = contestant;
  if (problem !== undefined) return `| ${name} | ${version ?? ''} | ${problem} | | | | | |`;
  const { medianMs, lowerQuartileMs, upperQuartileMs, gflops, peakRatio } = contestant;
  const ratio = (other) => (other?.medianMs === undefined ? '' : (medianMs / other.medianMs).toFixed(2));
  const label = detail === undefined ? name : `${name} (${detail})`;
  const spread = `${lowerQuartileMs.toFixed(2)} – ${upperQuartileMs.toFixed(2)}`;
  const cells = [
    label,
    version,
    medianMs.toFixed(2),
    spread,
    gflops.toFixed(1),
    `${(100 * peakRatio).toFixed(0)} %`,
    ratio(ours),
    ratio(portable),
  ];
  return `| ${cells.join(' | ')} |`;
}
