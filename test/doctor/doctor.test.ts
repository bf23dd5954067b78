/**
 * Every rule on a model that really has the disease, and on its healthy twin, two seeds each. Rates over more:
 * `npm run doctor:rates`.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/backend/registry.js';
import type { Finding } from '../../src/core/finding.js';
import { diagnose, isAtLeast } from '../../src/monitor/doctor/diagnose.js';
import { rules } from '../../src/monitor/doctor/rules.js';
import { setBackend } from '../../src/tensor/create.js';
import { diseases, twins } from './diseases.js';

const seeds = [1, 2];

beforeAll(async () => setBackend(await loadBackend()));

const shown = (findings: readonly Finding[]): string[] =>
  findings.map(({ severity, rule, path, head, measured }) => `${severity} ${rule} ${path} ${head} ${measured}`);

it('knows a disease for every rule', () => {
  expect(new Set(diseases.map(({ rule }) => rule))).toEqual(new Set(rules.map(({ name }) => name)));
});

describe.each(seeds)('seed %i', (seed) => {
  it.each(diseases)('$rule: $fault', ({ rule, make, against }) => {
    const findings = diagnose(make(seed), { against: against?.(seed) });
    const own = findings.filter((finding) => finding.rule === rule && isAtLeast(finding, 'warning'));
    expect(own, shown(findings).join('\n')).not.toEqual([]);
  });

  it.each(diseases)('no $rule in its twin: $twin', ({ rule, twin, against }) => {
    const findings = diagnose(twins[twin](seed), { against: against?.(seed) });
    expect(shown(findings.filter((finding) => isAtLeast(finding, 'error')))).toEqual([]);
    expect(shown(findings.filter((finding) => finding.rule === rule && isAtLeast(finding, 'warning')))).toEqual([]);
  });
});
