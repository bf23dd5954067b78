/**
 * Every rule on a model that really has the disease, and on its healthy twin. Two seeds by default; for rates over more:
 * `KEYHOLE_DOCTOR_SEEDS=20 npx vitest run test/doctor/doctor.test.ts`, which fails on the first one missed.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { loadBackend } from '../../src/backend/registry.js';
import type { Finding } from '../../src/core/finding.js';
import { diagnose, isAtLeast } from '../../src/monitor/doctor/diagnose.js';
import { rules } from '../../src/monitor/doctor/rules.js';
import { setBackend } from '../../src/tensor/create.js';
import { diseases, healthy } from './diseases.js';
import { look } from './patient.js';

const seeds = Array.from({ length: Number(process.env.KEYHOLE_DOCTOR_SEEDS ?? 2) }, (_, seed) => seed + 1);

beforeAll(async () => setBackend(await loadBackend()));

const shown = (findings: readonly Finding[]): string[] =>
  findings.map(({ severity, rule, path, head, measured }) => `${severity} ${rule} ${path} ${head} ${measured}`);

it('knows a disease for every rule', () => {
  expect(new Set(diseases.map(({ rule }) => rule))).toEqual(new Set(rules.map(({ name }) => name)));
});

describe.each(seeds)('seed %i', (seed) => {
  it.each(diseases)('$rule: $fault', ({ rule, make, against }) => {
    const findings = diagnose(make(seed), { against: against?.(seed) });
    expect(shown(findings).filter((line) => line.split(' ')[1] === rule)).not.toEqual([]);
  });

  it('accuses no healthy model', () => {
    const findings = diagnose(look(healthy(seed)), { against: look(healthy(seed), 1, 7) });
    expect(shown(findings.filter((finding) => isAtLeast(finding, 'error')))).toEqual([]);
    const accused = new Set(findings.map(({ rule }) => rule));
    const allowed = ['attention-sink', 'zero-attention', 'uniform-head']; // signals that a healthy model may give
    expect([...accused].filter((rule) => !allowed.includes(rule))).toEqual([]);
  });
});
