/**
 * A process that trains or saves until it is killed, for kill.test.ts: `driver <command> <folder> [point]`.
 *
 * - `train`: trains the toy in a run folder, going on when there is one, and prints its weights as JSON.
 * - `save`: writes checkpoint after checkpoint and prints each step; `point` names the moment at which it kills itself.
 * - `load`: prints the step of the newest good checkpoint and what the folder holds.
 */

import fs from 'node:fs';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { setBackend } from '../../src/tensor/create.js';
import { AdamW } from '../../src/train/adamw.js';
import { CheckpointStore } from '../../src/train/checkpoint.js';
import { type Files, hostFiles } from '../../src/train/files.js';
import { trainLoop } from '../../src/train/loop.js';
import { createRun, resumeRun } from '../../src/train/run.js';
import { createSchedule } from '../../src/train/schedule.js';
import { checkpointAt, pointAt } from './killPoints.js';
import { type Batch, batches, lossOf, Toy } from './toy.js';

function say(text: string): void {
  fs.writeSync(1, `${text}\n`);
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** Files that end the process at the named point of the save of step 4. */
function deadlyFiles(point: string | undefined): Files {
  const { before, after, inside } = pointAt(point);
  const deadly = <Inputs extends [string, ...never[]], Result>(name: string, call: (...inputs: Inputs) => Result) => {
    return (...inputs: Inputs): Result => {
      const place = `${name} ${inputs[0]}`;
      if (before?.test(place)) die();
      const result = call(...inputs);
      if (after?.test(place)) die();
      return result;
    };
  };
  const writeAtomic: Files['writeAtomic'] = (path, contents) => {
    const half = function* (): Generator<Uint8Array> {
      yield new TextEncoder().encode('half');
      die();
    };
    hostFiles.writeAtomic(path, inside?.test(`write ${path}`) ? half() : contents);
  };
  return {
    ...hostFiles,
    makeFolder: deadly('makeFolder', hostFiles.makeFolder),
    writeAtomic: deadly('write', writeAtomic),
    rename: deadly('rename', hostFiles.rename),
    removeTree: deadly('remove', hostFiles.removeTree),
  };
}

function save(folder: string, point: string | undefined): void {
  const store = new CheckpointStore(folder, deadlyFiles(point));
  for (let step = 1; ; step++) {
    store.save(checkpointAt(step));
    say(String(step));
  }
}

async function train(folder: string): Promise<void> {
  setBackend(createReferenceBackend());
  const resume = fs.existsSync(`${folder}/run.json`);
  const description = {
    task: 'toy',
    configuration: {},
    seed: 5,
    versions: {},
    backend: 'reference',
    target: 'typescript',
  };
  const run = resume ? resumeRun(folder) : createRun({ ...description, vocabularies: {} }, { folder });
  const model = new Toy();
  let writer = run.lines('metrics.jsonl');
  say('started');
  await run.during(() =>
    trainLoop<Batch>({
      model,
      optimiser: new AdamW(model),
      schedule: createSchedule({ peak: 0.02, warmupSteps: 10, totalSteps: 600, decay: 'cosine' }),
      loss: lossOf(model),
      batches,
      totalSteps: 600,
      seed: 5,
      evaluateEvery: 20,
      evaluate: (step) => ({ score: -step }),
      earlyStopping: { metric: 'score', patience: 0 },
      checkpoints: run.checkpoints,
      log: {
        record: (step, { 'train/tokensPerSecond': _, ...figures }) =>
          writer.write(JSON.stringify({ step, ...figures })),
        flush: () => writer.flush(),
      },
      resume,
      onResume: (step) => {
        writer.close();
        run.write('metrics.jsonl', linesUpTo(step, fs.readFileSync(run.path('metrics.jsonl'), 'utf8')));
        writer = run.lines('metrics.jsonl');
      },
    }),
  );
  writer.close();
  run.close();
  say(JSON.stringify([...model.parameters()].map(([name, parameter]) => [name, [...parameter.toArray()]])));
}

function linesUpTo(step: number, text: string): string {
  const whole = text.split('\n').slice(0, -1);
  return whole
    .filter((line) => JSON.parse(line).step <= step)
    .map((line) => `${line}\n`)
    .join('');
}

function load(folder: string): void {
  say(`step ${new CheckpointStore(folder).load().checkpoint.step} in ${fs.readdirSync(folder).join(' ')}`);
}

async function main([command, folder = '', point]: string[]): Promise<void> {
  if (command === 'save') save(folder, point);
  else if (command === 'load') load(folder);
  else await train(folder);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  fs.writeSync(2, `${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
