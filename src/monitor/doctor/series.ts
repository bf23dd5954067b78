/** Ways to look at head records: the last of each head, the heads of each layer, one head over the steps. */

import type { DoctorRecords, HeadRecord } from './records.js';

/** Values under their keys, in order of first appearance. */
export function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/** Every head's records in order of steps. */
export function seriesOf({ heads }: DoctorRecords): readonly (readonly HeadRecord[])[] {
  const series = groupBy(heads, headKey);
  return [...series.values()].map((records) => [...records].sort((a, b) => a.step - b.step));
}

/** Every head as it was last seen, where it had a row to look at. */
export function latest(records: DoctorRecords): readonly HeadRecord[] {
  return seriesOf(records).flatMap((series) => {
    const last = series.at(-1);
    return last && last.rows > 0 ? [last] : [];
  });
}

/** The heads of each layer as they were last seen. */
export function layersOf(records: DoctorRecords): readonly (readonly HeadRecord[])[] {
  return [...groupBy(latest(records), ({ path }) => path).values()];
}

/** The first record of each head for which `test` holds. */
export function firstOfEach(records: DoctorRecords, test: (record: HeadRecord) => boolean): readonly HeadRecord[] {
  return seriesOf(records).flatMap((series) => {
    const first = series.find(test);
    return first ? [first] : [];
  });
}

export function headKey({ path, head }: Pick<HeadRecord, 'path' | 'head'>): string {
  return `${path}/${head}`;
}
