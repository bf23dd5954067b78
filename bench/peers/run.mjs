// Keyhole beside its peers: every contestant in its own process on one thread, the same inputs, results compared before
// anything is timed, runs in turns. Writes bench/results/<cpu>/<date>.json and the table in docs/performance.md.
// Started by `npm run bench:peers`; `--quick` tries everything on small sizes and writes nothing.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cases, operationsOf } from './cases.mjs';
import { limitsOf } from './limits.mjs';
import { tablesOf, withTables } from './report.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const quick = process.argv.includes('--quick');
/** Who may use all of this processor; the rest is WebAssembly, or not made for speed, and held against its peak. */
const compiled = ['keyhole', 'keyhole-record', 'onnxruntime-node', 'ruvector'];
/** Float32 results of different order of summation, relative to the largest value. */
const tolerance = 1e-4;
const [leastRuns, mostRuns, budgetMs] = quick ? [2, 2, 0] : [5, 25, 20_000];

const limits = await limitsOf();
const results = [];
for (const testCase of quick ? cases.map(smaller) : cases) results.push(await compete(testCase));
const report = { ...describeRun(), limits, cases: results };
console.log(tablesOf(report));
if (!quick) write(report);

function smaller({ contestants, ...rest }) {
  const sizes = { matmul: { M: 64, N: 64, K: 64 }, attention: { L: 32 }, decode: { S: 32 } };
  return { ...rest, ...sizes[rest.kind], contestants };
}

/** All contestants of a case; those that cannot start or disagree are named with the reason instead of a time. */
async function compete({ contestants, ...testCase }) {
  console.log(`${testCase.name} …`);
  const children = await Promise.all(contestants.map((name) => start(name, testCase)));
  try {
    await compareResults(children);
    await takeTurns(children.filter(({ problem }) => problem === undefined));
    return { ...testCase, contestants: children.map((child) => summary(child, testCase)) };
  } finally {
    for (const { process: child } of children) if (child.connected) child.disconnect();
  }
}

/** jax-js needs a newer Node than the library does; the npm package `node` brings one. */
async function start(name, testCase) {
  const execPath = name === 'jax-js' ? at('node_modules/node/bin/node') : process.execPath;
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
  const child = fork(at('worker.mjs'), [name, JSON.stringify(testCase)], { execPath, stdio });
  const contestant = { name, process: child, times: [] };
  const answer = await messageOf(contestant);
  return Object.assign(contestant, answer && { version: answer.version, detail: answer.detail });
}

/** The next message; undefined, and `problem` set, when the process ends instead. */
async function messageOf(contestant) {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    const ended = once(contestant.process, 'exit', { signal }).then(([code]) => ({ ended: code }));
    const [message] = [await Promise.race([once(contestant.process, 'message', { signal }), ended])].flat();
    if (!('ended' in message)) return message;
    contestant.problem = `ended with code ${message.ended}`;
    return undefined;
  } catch (error) {
    contestant.problem = String(error);
    return undefined;
  } finally {
    stop.abort();
  }
}

async function ask(contestant, what) {
  contestant.process.send(what);
  return messageOf(contestant);
}

/** The first run warms up and is compared with Keyhole's, which its own suite holds against float64. */
async function compareResults(children) {
  let truth;
  for (const child of children) {
    if (child.problem !== undefined) continue;
    const answer = await ask(child, 'sample');
    if (answer === undefined) continue;
    truth ??= answer.sample;
    const scale = Math.max(...truth.map(Math.abs));
    child.error = Math.max(...truth.map((value, index) => Math.abs(value - answer.sample[index]))) / scale;
    if (!(child.error <= tolerance)) child.problem = `disagrees by ${child.error}`;
  }
}

async function takeTurns(children) {
  for (const child of children) await ask(child, 'warm up');
  const start = performance.now();
  for (let round = 0; round < mostRuns; round++) {
    if (round >= leastRuns && performance.now() - start > budgetMs) return;
    for (const child of children) {
      const answer = await ask(child, 'time');
      if (answer !== undefined) child.times.push(answer.milliseconds);
    }
  }
}

function summary({ name, version, detail, problem, error, times }, testCase) {
  if (problem !== undefined || times.length === 0) return { name, version, problem: problem ?? 'gave no time' };
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const medianMs = quantile(0.5);
  const spread = { minMs: sorted[0], lowerQuartileMs: quantile(0.25), upperQuartileMs: quantile(0.75) };
  const gflops = operationsOf(testCase) / medianMs / 1e6;
  const peakRatio = gflops / limits[compiled.includes(name) ? 'native' : 'wasm'].peakGflops;
  return { name, version, detail, medianMs, ...spread, runs: sorted.length, gflops, peakRatio, relativeError: error };
}

function describeRun() {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: at('../..'), encoding: 'utf8' }).trim();
  const processor = cpus()[0]?.model.trim() ?? 'unknown';
  return {
    date: new Date().toISOString(),
    commit,
    processor,
    processors: cpus().length,
    loadAverage: loadavg()[0],
    node: process.versions.node,
    threads: 1,
    note: process.env.KEYHOLE_BENCH_NOTE ?? '',
  };
}

function write(report) {
  const folder = at(`../results/${report.processor.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${report.date.slice(0, 10)}.json`, `${JSON.stringify(report, null, 2)}\n`);
  const page = at('../../docs/performance.md');
  if (existsSync(page)) writeFileSync(page, withTables(readFileSync(page, 'utf8'), tablesOf(report)));
}
