/** N11: the same bits on every run and for any number of threads, for every kernel; the largest cases of each. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Backend, KernelName } from '../../src/backend/contract.js';
import { loadBackend } from '../../src/backend/registry.js';
import { sizeOf } from '../../src/core/shape.js';
import type { Case } from './case.js';
import { allCases } from './cases/all.js';
import { attentionCases } from './cases/attention.js';
import { matmulCase } from './cases/matmul.js';
import { execute } from './run.js';
import { subjects } from './subjects.js';

/** Work that has to be split inside one head: a long cache, few heads × long sequences, one large product. */
const long = [
  attentionCases({ H: 8, G: 2, L: 1, S: 4099, D: 64, options: { right: 0, offset: 4098 } }, 1),
  attentionCases({ H: 1, L: 300, S: 517, D: 33 }, 11),
].flatMap((cases) => Object.values(cases) as Case[]);
const candidates = [...allCases, ...long, matmulCase({ batch: [1, 1], size: [321, 330, 300] }, 3)];

const kernels = [...new Set(allCases.map(({ kernel }) => kernel))];

function work({ inputs, outputs }: Case): number {
  return [...Object.values(inputs).map(({ shape }) => shape), ...Object.values(outputs)].reduce(
    (sum, shape) => sum + sizeOf(shape),
    0,
  );
}

/** The largest cases of a kernel, where the work is split, and some of the others. */
function sample(kernel: KernelName): Case[] {
  const mine = candidates.filter((candidate) => candidate.kernel === kernel).sort((a, b) => work(b) - work(a));
  return mine.filter((_, index) => index < 8 || index % 11 === 0);
}

function hash(backend: Backend, cases: readonly Case[]): string {
  const digest = createHash('sha256');
  for (const it of cases)
    for (const [name, values] of Object.entries(execute(backend, it))) {
      // NaN may carry any payload; its position counts.
      digest.update(name).update(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)));
    }
  return digest.digest('hex');
}

for (const { name, options, backend, missing } of subjects) {
  if (options.backend === 'reference') continue; // TypeScript on one thread
  describe.skipIf(missing !== undefined)(missing === undefined ? name : `${name}: ${missing}`, () => {
    it.each(kernels)('%s', async (kernel) => {
      const mine = sample(kernel);
      const expected = hash(backend as Backend, mine);
      expect(hash(backend as Backend, mine), 'second run').toBe(expected);
      if (options.backend !== 'native') return; // the others have one thread
      for (const threads of [2, 3, 4, 8]) {
        const other = await loadBackend({ ...options, threads });
        expect(other.info.threads).toBe(threads);
        expect(hash(other, mine), `${threads} threads`).toBe(expected);
      }
    });
  });
}
