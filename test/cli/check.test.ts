/**
 * The attention doctor on the command line: `check`, `prune` and `train --check`, on a tiny model of a tiny text and on
 * one trained too fast. What the rules find is looked at in test/doctor.
 */

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, keyholeIn, newFolder, type Outcome } from './program.js';

let folder = '';

const keyhole = (...args: readonly string[]): Outcome => keyholeIn(folder, args);
const layer = 'blocks.0.attention';

const tiny = `data: text.txt
layers: 1
heads: 2
width: 16
hidden: 16
context: 8
batchTokens: 64
steps: 6
warmupSteps: 2
evaluateEvery: 3
`;
const tooFast = ['--set', 'steps=10', 'learningRate=0.5', 'evaluateEvery=5'];
const train = (run: string, ...more: readonly string[]): Outcome =>
  keyhole('train', 'novel', '--config', 'tiny.yaml', '--run', run, ...more);

interface Checked {
  readonly failed: boolean;
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly path: string;
    readonly head?: number;
    readonly measured: number;
  }[];
  readonly roles?: readonly { readonly path: string; readonly role: string; readonly figures: object }[];
}

const checked = (outcome: Outcome): Checked => json(outcome) as unknown as Checked;
const rulesOf = ({ findings }: Checked): string[] => findings.map(({ rule }) => rule);

let warned: Outcome;

beforeAll(() => {
  folder = newFolder('check');
  writeFileSync(join(folder, 'text.txt'), 'the whale and the sea; call me Ishmael.\n'.repeat(250));
  writeFileSync(join(folder, 'tiny.yaml'), tiny);
  expect(train('well').err).not.toContain('error');
  warned = train('ill', ...tooFast, '--check', 'warn');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('check', () => {
  it('ends with 0 on a run without errors, and with 1 where --fail-on says so', () => {
    const { code, out } = keyhole('check', 'well');
    expect(out).toContain('2 heads at 2 steps: 2 warnings');
    expect(out).toContain('cause:  the head is untrained');
    expect(code).toBe(0);
    expect(keyhole('check', 'well', '--fail-on', 'warning').code).toBe(1);
  });

  it('ends with 1 on a run trained too fast', () => {
    const outcome = keyhole('check', 'ill', '--json');
    const { failed, findings } = checked(outcome);
    expect(outcome.code).toBe(1);
    expect(failed).toBe(true);
    const growth = findings.find(({ rule }) => rule === 'logit-growth');
    expect(growth).toMatchObject({ path: layer, head: expect.any(Number), step: 10, threshold: expect.any(Number) });
    expect(['error', 'critical']).toContain(growth?.severity);
  });

  it('writes the findings as a page', () => {
    expect(keyhole('check', 'ill', '--html', 'findings.html').code).toBe(1);
    const page = readFileSync(join(folder, 'findings.html'), 'utf8');
    expect(page.toLowerCase().startsWith('<!doctype html>')).toBe(true);
    for (const text of ['logit-growth', `${layer} head 0, step 10`, 'QK-norm']) expect(page).toContain(text);
  });

  it.each(['ill', 'step-3', 'train'])('finds what moved against %s', (other) => {
    const { code, out, err } = keyhole('check', 'well', '--against', other, '--json');
    expect(err).not.toContain('error:');
    expect(code).toBe(0);
    const moved = rulesOf(JSON.parse(out)).includes('drift');
    expect(moved).toBe(other === 'ill');
  });

  it('says what heads do, on data and on texts written twice', () => {
    const { roles = [] } = checked(keyhole('check', 'well', '--roles', '--json'));
    expect(roles.map(({ path, role }) => [path, role])).toEqual([
      [layer, 'broad'],
      [layer, 'broad'],
    ]);
    for (const name of ['previous', 'same', 'delimiter', 'induction', 'duplicate', 'entropyRatio'])
      expect(roles[0]?.figures, name).toHaveProperty(name, expect.any(Number));
    expect(keyhole('check', 'well', '--roles').out).toMatch(/blocks\.0\.attention +head 1 +broad +1\.00/);
  });
});

describe('check refuses', () => {
  const copy = (name: string): string => {
    cpSync(join(folder, 'well'), join(folder, name), { recursive: true });
    return join(folder, name, 'attention.jsonl');
  };

  it('a run without attention data, and looks at its weights when asked', () => {
    rmSync(copy('bare'));
    const { code, err } = keyhole('check', 'bare');
    expect(err).toContain('expected attention data in bare/attention.jsonl, got none');
    expect(err).toContain('--split validation');
    expect(code).toBe(2);
    expect(keyhole('check', 'bare', '--split', 'validation').code).toBe(0);
  });

  it('a log of another version', () => {
    const file = copy('future');
    writeFileSync(file, readFileSync(file, 'utf8').replace('{"step"', '{"version":2,"step"'));
    const { code, err } = keyhole('check', 'future');
    expect(err).toContain('attention.jsonl: expected a log of attention of version 1 in line 1, got version 2');
    expect(code).toBe(1);
  });

  it.each([
    ['no run', ['check', 'nowhere'], 'nowhere'],
    ['an unknown run to compare with', ['check', 'well', '--against', 'nowhere'], 'nowhere'],
    ['an unknown checkpoint', ['check', 'well', '--checkpoint', 'middle'], 'best, last or step-N'],
    ['an unknown split', ['check', 'well', '--split', 'all'], 'validation'],
    ['an unknown severity', ['check', 'well', '--fail-on', 'note'], 'warning, error'],
    ['all heads to prune', ['prune', 'well', '--heads', '2'], 'expected --heads below 2'],
    ['no head to prune', ['prune', 'well', '--heads', '0'], 'a whole number from 1 on'],
  ])('%s', (_, args, hint) => {
    const { code, out, err } = keyhole(...args);
    expect(err).toContain(hint);
    expect(out).toBe('');
    expect(code).toBe(2);
  });
});

describe('train --check', () => {
  it('warn says what it finds, once, and goes on', () => {
    expect(warned.code).toBe(0);
    const text = warned.out + warned.err;
    expect(text.match(/check: error logit-growth in blocks\.0\.attention head 0/g)).toHaveLength(1);
    expect(text).toContain('step 10: validation loss');
  });

  it('stop ends the run at the evaluation that finds it, and the run says why', () => {
    const { code, err } = train('stopped', ...tooFast, '--check', 'stop');
    expect(err).toContain('error: train: stopped by --check stop: logit-growth in blocks.0.attention head 0 at step 5');
    expect(code).toBe(1);
    const { status, reason } = JSON.parse(readFileSync(join(folder, 'stopped', 'run.json'), 'utf8'));
    expect(status).toBe('stopped');
    expect(reason).toContain('logit-growth');
    const steps = readFileSync(join(folder, 'stopped', 'metrics.jsonl'), 'utf8');
    expect(steps).not.toContain('"step":10');
  }, 60_000);

  it('stop lets a healthy run finish', () => {
    expect(train('let-be', '--check', 'stop').code).toBe(0);
  }, 60_000);
});

describe('prune', () => {
  it('takes a head out, says what that does to the metric, and writes a run that works', () => {
    const outcome = keyhole('prune', 'well', '--heads', '1', '--run', 'pruned', '--json');
    expect(outcome.code).toBe(0);
    const { before, metric, pruned, run } = json(outcome) as {
      before: number;
      metric: string;
      pruned: object[];
      run: string;
    };
    expect([metric, run]).toEqual(['loss', 'pruned']);
    expect(pruned).toEqual([
      { path: layer, head: expect.any(Number), importance: expect.any(Number), metric: expect.any(Number) },
    ]);
    expect(existsSync(join(folder, 'pruned', 'checkpoints'))).toBe(true);
    const [{ head, metric: after }] = pruned as [{ head: number; metric: number }];
    expect(after).not.toBe(before);
    // Its queries are 0, so it looks at everything alike.
    const { findings } = checked(keyhole('check', 'pruned', '--split', 'validation', '--json'));
    const own = findings.filter((finding) => finding.rule === 'uniform-head' && finding.head === head);
    expect(own.map(({ measured }) => measured)).toEqual([expect.closeTo(1, 7)]);
  });
});
