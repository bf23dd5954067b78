// What logging costs: the same training with every sink and with none, in turns; and the time spent inside the logger.
// `node scripts/build.mjs && node bench/logging.mjs [pairs] [steps] [task]`. Times are processor time of the whole process, so
// that other work on the machine does not count; waiting for the disk does not either, and is given on its own.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBackend } from '../dist/backend/index.js';
import { chosenSinks } from '../dist/cli/chosenSinks.js';
import { RunLogs } from '../dist/cli/runLogs.js';
import { findPreset, findTask, resolveConfig, trainTask } from '../dist/tasks/index.js';
import { setBackend } from '../dist/tensor/index.js';
import { createRun } from '../dist/train/index.js';

const [pairs = 3, steps = 150] = process.argv.slice(2, 4).map(Number);
const task = findTask(process.argv[4] ?? 'g2p');
const sinks = 'sinks=tensorboard,console,prometheus';
const overrides = [`steps=${steps}`, `evaluateEvery=${steps}`, 'warmupSteps=10', sinks];
const config = resolveConfig(task.name, task.schema, findPreset(task, 'quick'), overrides);
const backend = await loadBackend({ threads: 1 });
setBackend(backend);
const folder = mkdtempSync(join(tmpdir(), 'keyhole-logging-'));

/** One training; `log` gets its run and model. Returns times in milliseconds, and bytes in the run's folder. */
async function train(name, makeLog) {
  const open = await task.open(config);
  const description = { task: task.name, configuration: config, seed: 1, versions: {}, vocabularies: {} };
  const { backend: kind, target } = backend.info;
  const run = createRun({ ...description, backend: kind, target }, { folder: join(folder, name) });
  const { log, inside } = timed(await makeLog(run, open));
  const [start, began] = [cpuMs(), performance.now()];
  const onAttention = (step, captured) => log.attention(step, captured);
  await trainTask({ task, open, config, run, log, onAttention });
  log.close();
  await new Promise(setImmediate); // what prom-client still writes
  const spent = { cpu: cpuMs() - start, clock: performance.now() - began };
  run.close();
  const files = readdirSync(run.folder).map((file) => statSync(join(run.folder, file)));
  const bytes = files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0);
  return { ...spent, bytes, ...inside };
}

/** The same log with its time taken: of the processor, and by the clock. */
function timed(log) {
  const inside = { logCpu: 0, logClock: 0 };
  const wrap =
    (name) =>
    (...values) => {
      const [cpu, clock] = [cpuMs(), performance.now()];
      log[name](...values);
      inside.logCpu += cpuMs() - cpu;
      inside.logClock += performance.now() - clock;
    };
  const names = ['record', 'attention', 'flush', 'close'];
  return { log: Object.fromEntries(names.map((name) => [name, wrap(name)])), inside };
}

async function everySink(run, open) {
  const lines = [];
  const sinks = await chosenSinks(run, (line) => lines.push(line));
  const sample = () => open.samples.slice(0, 1).map((input) => open.answer(input, { attention: true }));
  return new RunLogs(run, { ...sinks, sample });
}

const noSink = () => ({ record() {}, attention() {}, flush() {}, close() {} });

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

try {
  await train('warm-up', noSink);
  const [every, none] = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    every.push(await train(`every-${pair}`, everySink));
    none.push(await train(`none-${pair}`, noSink));
  }
  const [withLogs, without] = [every, none].map((runs) => median(runs.map(({ cpu }) => cpu)));
  const [clockWith, clockWithout] = [every, none].map((runs) => median(runs.map(({ clock }) => clock)));
  const [logCpu, logClock] = ['logCpu', 'logClock'].map((key) => median(every.map((run) => run[key])));
  const percent = (share) => `${(100 * share).toFixed(2)} %`;
  console.log(`${pairs} pairs of ${steps} steps, one evaluation each, ${backend.info.target}, 1 thread; medians`);
  console.log(`training with no sink      ${without.toFixed(0)} ms of processor time`);
  console.log(`training with every sink   ${withLogs.toFixed(0)} ms: ${percent(withLogs / without - 1)} more`);
  console.log(
    `inside the logger          ${logCpu.toFixed(1)} ms: ${percent(logCpu / without)}; by the clock ${logClock.toFixed(1)} ms`,
  );
  console.log(
    `by the clock               ${clockWithout.toFixed(0)} ms, ${clockWith.toFixed(0)} ms: ${percent(clockWith / clockWithout - 1)} more`,
  );
  console.log(`written                    ${(median(every.map(({ bytes }) => bytes)) / 1024).toFixed(1)} KB`);
} finally {
  rmSync(folder, { recursive: true });
}
