import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FormatError, StateError } from '../core/errors.js';
import { type Checkpoint, CheckpointStore } from './checkpoint.js';
import { hostFiles } from './files.js';
import { storeArray } from './safetensors.js';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(`${os.tmpdir()}/keyhole-checkpoint-`);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function checkpoint(step: number, bestStep?: number): Checkpoint {
  const weights = Float32Array.from({ length: 300 }, (_, index) => Math.fround(index / 3 + step));
  return {
    step,
    bestStep,
    model: new Map([['layer.weight', storeArray(weights, [3, 100])]]),
    optimiser: new Map([['layer.weight.m', storeArray(weights.map(Math.sqrt), [300])]]),
    state: { random: [step, -1, 2 ** 31], cursor: { epoch: 1, position: 0.1 + step } },
  };
}

const flip = (path: string, at: number): void => {
  const bytes = fs.readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  fs.writeFileSync(path, bytes);
};

test('a checkpoint comes back bit for bit', () => {
  const store = new CheckpointStore(`${folder}/checkpoints`);
  store.save(checkpoint(100, 100));
  expect(store.load()).toEqual({ checkpoint: checkpoint(100, 100), notices: [] });
  expect(fs.readdirSync(`${folder}/checkpoints/step-100`)).toEqual([
    'model.safetensors',
    'optimizer.safetensors',
    'state.json',
  ]);
});

test('the last, the one before and the best are kept, and nothing else', () => {
  const store = new CheckpointStore(folder);
  for (const [step, best] of [[0], [10, 10], [20, 20], [30, 20], [40, 20], [50, 20]] as const)
    store.save(checkpoint(step, best));
  expect(fs.readdirSync(folder)).toEqual(['step-20', 'step-40', 'step-50']);
  expect(store.load('best').checkpoint).toEqual(checkpoint(20, 20));
  expect(store.load('last').checkpoint).toEqual(checkpoint(50, 20));
});

test('a step saved again replaces the old one', () => {
  const store = new CheckpointStore(folder);
  store.save(checkpoint(5));
  store.save(checkpoint(5, 5));
  expect(store.load().checkpoint.bestStep).toBe(5);
  expect(fs.readdirSync(folder)).toEqual(['step-5']);
});

test('no checkpoint is a StateError', () => {
  expect(() => new CheckpointStore(`${folder}/nowhere`).load()).toThrow(StateError);
});

describe('damage', () => {
  const damages: Record<string, (path: string) => void> = {
    'model cut short': (path) => fs.truncateSync(`${path}/model.safetensors`, 700),
    'model cut to nothing': (path) => fs.truncateSync(`${path}/model.safetensors`, 0),
    'model with bytes appended': (path) => fs.appendFileSync(`${path}/model.safetensors`, 'x'),
    'bit flip in the weights': (path) => flip(`${path}/model.safetensors`, -10),
    'bit flip in the header': (path) => flip(`${path}/model.safetensors`, 20),
    'bit flip in the optimiser': (path) => flip(`${path}/optimizer.safetensors`, -1),
    'bit flip in the step': (path) => flip(`${path}/state.json`, 20),
    'bit flip in the random state': (path) => {
      const text = fs.readFileSync(`${path}/state.json`, 'utf8');
      fs.writeFileSync(`${path}/state.json`, text.replace('2147483648', '2147483649'));
    },
    'manifest cut short': (path) => fs.truncateSync(`${path}/state.json`, 100),
    'manifest of another version': (path) => {
      const text = fs.readFileSync(`${path}/state.json`, 'utf8');
      fs.writeFileSync(`${path}/state.json`, text.replace('"format":1', '"format":2'));
    },
    'model missing': (path) => fs.rmSync(`${path}/model.safetensors`),
    'optimiser missing': (path) => fs.rmSync(`${path}/optimizer.safetensors`),
    'manifest missing': (path) => fs.rmSync(`${path}/state.json`),
    'model that is a device': (path) => {
      fs.rmSync(`${path}/model.safetensors`);
      fs.symlinkSync('/dev/zero', `${path}/model.safetensors`);
    },
    'checkpoint of another step': (path) => {
      fs.rmSync(path, { recursive: true });
      fs.cpSync(`${folder}/step-100`, path, { recursive: true });
    },
    'empty folder': (path) => {
      fs.rmSync(path, { recursive: true });
      fs.mkdirSync(path);
    },
  };

  for (const [name, damage] of Object.entries(damages)) {
    test(`${name}: the checkpoint before is used, and said so`, () => {
      const store = new CheckpointStore(folder);
      store.save(checkpoint(100));
      store.save(checkpoint(200));
      damage(`${folder}/step-200`);
      const { checkpoint: found, notices } = store.load();
      expect(found).toEqual(checkpoint(100));
      expect(notices).toHaveLength(1);
      expect(notices[0]).toMatch(/step-200.*using step-100/);
    });
  }

  test('every byte of the manifest matters', () => {
    const store = new CheckpointStore(folder);
    store.save(checkpoint(1));
    const path = `${folder}/step-1/state.json`;
    const text = fs.readFileSync(path, 'utf8').trimEnd();
    for (let at = 0; at < text.length; at++) {
      flip(path, at);
      expect(() => store.load(), `byte ${at}`).toThrow(FormatError);
      flip(path, at);
    }
    expect(store.load().checkpoint.step).toBe(1);
  });

  test('a damaged best falls back to the last', () => {
    const store = new CheckpointStore(folder);
    store.save(checkpoint(1, 1));
    store.save(checkpoint(2, 1));
    flip(`${folder}/step-1/model.safetensors`, -1);
    const { checkpoint: found, notices } = store.load('best');
    expect([found.step, notices.length]).toEqual([2, 1]);
  });

  test('all damaged: FormatError that says why', () => {
    const store = new CheckpointStore(folder);
    store.save(checkpoint(1));
    flip(`${folder}/step-1/model.safetensors`, -1);
    expect(() => store.load()).toThrow(/1 damaged.*sha256/);
  });
});

test('a full disk leaves the old checkpoint and no rubbish', () => {
  const store = new CheckpointStore(folder);
  store.save(checkpoint(1));
  for (const full of ['model.safetensors', 'optimizer.safetensors', 'state.json']) {
    const files = {
      ...hostFiles,
      writeAtomic: (...[path, contents]: Parameters<typeof hostFiles.writeAtomic>) => {
        if (path.endsWith(full)) throw new StateError('writeAtomic: no room');
        hostFiles.writeAtomic(path, contents);
      },
    };
    expect(() => new CheckpointStore(folder, files).save(checkpoint(2))).toThrow(/no room/);
    expect(fs.readdirSync(folder)).toEqual(['step-1']);
  }
  expect(store.load().checkpoint).toEqual(checkpoint(1));
});
