/** The moments of a save at which kill.test.ts pulls the plug, and what the saved checkpoints hold. */

import type { Checkpoint } from '../../src/train/checkpoint.js';
import { storeArray } from '../../src/train/safetensors.js';

interface KillPoint {
  /** Matched against `<operation> <path>`. */
  readonly before?: RegExp;
  readonly after?: RegExp;
  readonly inside?: RegExp;
  /** The step that must be found afterwards; the save under way is that of step 4, and step 1 is the best. */
  readonly found: number;
}

export const killPoints: Readonly<Record<string, KillPoint>> = {
  'before the folder is made': { before: /^makeFolder .*step-4/, found: 3 },
  'after the folder is made': { after: /^makeFolder .*step-4/, found: 3 },
  'in the middle of the model': { inside: /step-4.*model/, found: 3 },
  'after the model': { after: /^write .*step-4.*model/, found: 3 },
  'in the middle of the optimiser': { inside: /step-4.*optimizer/, found: 3 },
  'after the optimiser': { after: /^write .*step-4.*optimizer/, found: 3 },
  'in the middle of the manifest': { inside: /step-4.*state/, found: 3 },
  'after the manifest': { after: /^write .*step-4.*state/, found: 3 },
  'before the folder gets its name': { before: /^rename .*step-4/, found: 3 },
  'after the folder gets its name': { after: /^rename .*step-4/, found: 4 },
  'after an old checkpoint is hidden': { after: /^rename .*step-2$/, found: 4 },
};

export function pointAt(name: string | undefined): Partial<KillPoint> {
  return killPoints[name ?? ''] ?? {};
}

export function checkpointAt(step: number): Checkpoint {
  const values = Float32Array.from({ length: 5000 }, (_, index) => Math.sin(index * step));
  return {
    step,
    bestStep: 1,
    model: new Map([['weight', storeArray(values, [50, 100])]]),
    optimiser: new Map([['m.weight', storeArray(values.map(Math.abs), [50, 100])]]),
    state: { random: [step], cursor: { epoch: 0, index: step } },
  };
}
