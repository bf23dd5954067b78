import { describe, expect, test } from 'vitest';
import { FormatError, ShapeError, StateError } from '../core/errors.js';
import { type AttentionRecord, type CapturedAttention, type StatisticName, statisticNames } from '../core/records.js';
import { AttentionLog, parseAttentionLog } from './attentionLog.js';
import { summariseAttention } from './attentionSummary.js';

/** A record whose rows [B, H, L] are given for some statistics and 0 for the others. */
function capture(
  sizes: { batch: number; heads: number; queries: number },
  rows: Partial<Record<StatisticName, number[]>>,
  path = 'decoder.blocks.0.crossAttention',
): CapturedAttention {
  const size = sizes.batch * sizes.heads * sizes.queries;
  const statistics = Object.fromEntries(
    statisticNames.map((name) => [name, Float32Array.from(rows[name] ?? new Array<number>(size).fill(0))]),
  ) as AttentionRecord['statistics'];
  return { path, kind: 'cross', record: { ...sizes, keys: 8, statistics, lse: new Float32Array(size) } };
}

const twoHeads = capture(
  { batch: 1, heads: 2, queries: 4 },
  {
    // Head 0: full masks in row 1, a single key in row 2. Head 1: nothing allowed at all.
    keys: [8, 0, 1, 2, 0, 0, 0, 0],
    entropyNats: [Math.log(8) / 2, 99, 0, Math.log(2), 0, 0, 0, 0],
    pMax: [0.5, 99, 1, 0.5, 0, 0, 0, 0],
    logitMax: [-3, 99, -5, -4, 0, 0, 0, 0],
    firstMass: [0.25, 99, 1, 0.25, 0, 0, 0, 0],
  },
);

describe('summariseAttention', () => {
  const [first, second] = summariseAttention([twoHeads]);

  test('means over rows with keys; normalised entropy over rows with two or more', () => {
    expect(first).toMatchObject({ path: twoHeads.path, kind: 'cross', head: 0, rows: 3, maskedRows: 1 });
    expect(first?.keys).toBeCloseTo(11 / 3, 6);
    expect(first?.entropyNats).toBeCloseTo((Math.log(8) / 2 + Math.log(2)) / 3, 6);
    expect(first?.entropyRatio).toBeCloseTo(0.75, 6);
    expect(first?.pMax).toBeCloseTo(2 / 3, 6);
    expect(first?.saturatedRatio).toBeCloseTo(1 / 3, 6);
    expect(first?.firstMass).toBeCloseTo(0.5, 6);
  });

  test('logitMax is the largest of any counted row', () => {
    expect(first?.logitMax).toBe(-3);
  });

  test('a head without any valid row has no means', () => {
    expect(second).toMatchObject({ head: 1, rows: 0, maskedRows: 4, logitMax: Number.NEGATIVE_INFINITY });
    expect([second?.entropyRatio, second?.pMax, second?.saturatedRatio]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test('captures of one path are taken together, rows weighing the same; paths stay apart', () => {
    const one = capture({ batch: 1, heads: 1, queries: 1 }, { keys: [4], pMax: [1] });
    const three = capture({ batch: 1, heads: 1, queries: 3 }, { keys: [4, 4, 4], pMax: [0.5, 0.5, 0.5] });
    const other = capture({ batch: 1, heads: 1, queries: 1 }, { keys: [4], pMax: [0.25] }, 'encoder');
    expect(summariseAttention([one, other, three]).map(({ path, rows, pMax }) => [path, rows, pMax])).toEqual([
      [one.path, 4, 0.625],
      ['encoder', 1, 0.25],
    ]);
  });

  test('padded query rows are left out; batches are [B, H, L]', () => {
    const batch = capture(
      { batch: 2, heads: 2, queries: 2 },
      { keys: new Array(8).fill(4), pMax: [0.25, 0.5, 0.75, 1, 0.125, 9, 0.375, 9] },
    );
    const pMaxima = summariseAttention([batch], { queryLengths: [2, 1] }).map(({ pMax, rows }) => [pMax, rows]);
    expect(pMaxima).toEqual([
      [(0.25 + 0.5 + 0.125) / 3, 3],
      [(0.75 + 1 + 0.375) / 3, 3],
    ]);
    expect(() => summariseAttention([batch], { queryLengths: [2] })).toThrow(ShapeError);
  });

  test('NaN is reported, not averaged away', () => {
    const poisoned = capture({ batch: 1, heads: 1, queries: 2 }, { keys: [4, 4], logitMax: [1, Number.NaN] });
    expect(summariseAttention([poisoned])[0]?.logitMax).toBeNaN();
  });

  test('one path, two numbers of heads: a ShapeError', () => {
    const one = capture({ batch: 1, heads: 1, queries: 1 }, {});
    expect(() => summariseAttention([twoHeads, one])).toThrow(ShapeError);
  });
});

describe('AttentionLog', () => {
  const lines: string[] = [];
  const log = new AttentionLog({ write: (line) => void lines.push(line), flush: () => {}, close: () => {} });
  const summaries = summariseAttention([twoHeads]);
  log.write(100, summaries);

  test('one line for each head, read back as it was', () => {
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /^\{"step":100,"path":"decoder\.blocks\.0\.crossAttention","kind":"cross","head":0,"rows":3,/,
    );
    const { entries } = parseAttentionLog(`${lines.join('\n')}\n`);
    expect(entries).toEqual(summaries.map((summary) => ({ step: 100, ...summary })));
  });

  test.each(['step', 'path', 'kind', 'head', 'rows', 'entropyRatio', 'nextMass'])(
    'a line without %s is damage',
    (key) => {
      const { [key]: _, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
      expect(() => parseAttentionLog(`${lines[0]}\n${JSON.stringify(rest)}\n`)).toThrow(FormatError);
      expect(() => parseAttentionLog(`${lines[0]}\n${JSON.stringify(rest)}\n`)).toThrow(/line 2/);
    },
  );

  test.each([{ version: 2 }, { pMax: undefined, nextMass: undefined }])('a line of another version: %j', (change) => {
    const line = JSON.stringify({ ...JSON.parse(lines[0] ?? ''), ...change });
    const got = 'version' in change ? 'version 2' : 'one without pMax, nextMass';
    expect(() => parseAttentionLog(`${lines[0]}\n${line}\n`)).toThrow(
      `attention.jsonl: expected a log of attention of version 1 in line 2, got ${got}; open the run with`,
    );
  });

  test('a bad step is a StateError', () => {
    expect(() => log.write(1.5, summaries)).toThrow(StateError);
  });
});
