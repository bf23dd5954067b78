import { createRequire } from 'node:module';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { histogramOf } from '../../metrics/histogram.js';
import { KpiLogger } from '../kpiLogger.js';
import { findInteger, integerField, join, textField } from './protobuf.js';
import { tensorboardSink, truncateEventsAfterStep } from './tensorboardSink.js';
import { frameRecord, readRecords } from './tfRecord.js';

const { buf: crc32c } = createRequire(import.meta.url)('crc-32/crc32c.js') as { buf: (bytes: Uint8Array) => number };

/** Fields of a message by number, by the reader of @bufbuild/protobuf: numbers, or bytes. */
function fields(message: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const reader = new BinaryReader(message);
  const found = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const read = { [WireType.Varint]: () => Number(reader.int64()), [WireType.Bit64]: () => reader.double() };
    const others = { [WireType.LengthDelimited]: () => reader.bytes(), [WireType.Bit32]: () => reader.float() };
    const value = ({ ...read, ...others } as Record<number, () => number | Uint8Array>)[type]?.() ?? Number.NaN;
    found.set(field, [...(found.get(field) ?? []), value]);
  }
  return found;
}

function at(message: Uint8Array, ...path: readonly number[]): number | Uint8Array | undefined {
  const [first, ...rest] = path;
  const [value] = fields(message).get(first ?? 0) ?? [];
  return rest.length > 0 && value instanceof Uint8Array ? at(value, ...rest) : value;
}

const text = (value: number | Uint8Array | undefined): string => new TextDecoder().decode(value as Uint8Array);
const doubles = (value: number | Uint8Array | undefined): number[] => [
  ...new Float64Array(Uint8Array.from(value as Uint8Array).buffer),
];

/** Contents of a record file, read without any code of ours; throws where a length or a checksum is wrong. */
function independentRecords(bytes: Uint8Array): Uint8Array[] {
  const buffer = Buffer.from(bytes);
  const masked = (part: Uint8Array): number => {
    const crc = BigInt(crc32c(part) >>> 0);
    return Number((((crc >> 15n) | (crc << 17n)) + 0xa282ead8n) & 0xffffffffn);
  };
  const records: Uint8Array[] = [];
  for (let offset = 0; offset < buffer.length; ) {
    const length = Number(buffer.readBigUInt64LE(offset));
    expect(buffer.readUInt32LE(offset + 8)).toBe(masked(buffer.subarray(offset, offset + 8)));
    const content = buffer.subarray(offset + 12, offset + 12 + length);
    expect(buffer.readUInt32LE(offset + 12 + length)).toBe(masked(content));
    records.push(content);
    offset += 16 + length;
  }
  return records;
}

function memory(): { bytes: () => Uint8Array; writer: Parameters<typeof tensorboardSink>[0] } {
  const parts: Uint8Array[] = [];
  const writer = { write: (part: Uint8Array) => void parts.push(part), flush: () => {}, close: () => {} };
  return { bytes: () => join(...parts), writer };
}

function sampleFile(resumedAt?: number): Uint8Array {
  const { bytes, writer } = memory();
  const sink = tensorboardSink(writer, { now: () => 1_795_559_072_250, ...(resumedAt && { resumedAt }) });
  const log = new KpiLogger({ sinks: [sink], clock: () => 0 });
  log.write(10, 'train', { loss: 1.25 });
  log.write(300, 'train', { loss: Number.NaN });
  log.histogram(300, 'attention/entropyRatio/a', histogramOf([0, 0.5, 1], 2));
  log.image(300, 'weights', { width: 3, height: 2, png: Uint8Array.of(1, 2, 3) });
  log.text(301, 'sample', 'naïve → 1');
  return bytes();
}

describe('an event file, read by another parser', () => {
  const events = independentRecords(sampleFile(7));

  test('begins with its version, and on resuming with the step at which it goes on', () => {
    expect(text(at(events[0] as Uint8Array, 3))).toBe('brain.Event:2');
    expect(at(events[0] as Uint8Array, 1)).toBe(1_795_559_072.25);
    expect([at(events[1] as Uint8Array, 2), at(events[1] as Uint8Array, 7, 1)]).toEqual([7, 1]);
    expect(independentRecords(sampleFile())).toHaveLength(events.length - 1);
  });

  test('figures: tag, value, and once what they mean', () => {
    const [first, second] = events.slice(2) as [Uint8Array, Uint8Array];
    expect([at(first, 2), text(at(first, 5, 1, 1)), at(first, 5, 1, 2)]).toEqual([10, 'train/loss', 1.25]);
    expect(text(at(first, 5, 1, 9, 1, 1))).toBe('scalars');
    expect(text(at(first, 5, 1, 9, 3))).toBe('Loss, in nats; lower is better');
    expect([at(second, 2), at(second, 5, 1, 2), at(second, 5, 1, 9)]).toEqual([300, Number.NaN, undefined]);
  });

  test('histograms, pictures and texts', () => {
    const [histogram, image, sample] = events.slice(4) as [Uint8Array, Uint8Array, Uint8Array];
    const numbers = at(histogram, 5, 1, 5) as Uint8Array;
    expect([1, 2, 3, 4, 5].map((field) => at(numbers, field))).toEqual([0, 1, 3, 1.5, 1.25]);
    expect([doubles(at(numbers, 6)), doubles(at(numbers, 7))]).toEqual([
      [0.5, 1],
      [2, 1],
    ]);
    const picture = at(image, 5, 1, 4) as Uint8Array;
    expect([1, 2, 3].map((field) => at(picture, field))).toEqual([2, 3, 3]);
    expect([...(at(picture, 4) as Uint8Array)]).toEqual([1, 2, 3]);
    const tensor = at(sample, 5, 1, 8) as Uint8Array;
    expect([at(tensor, 1), at(tensor, 2, 2, 1), text(at(tensor, 8))]).toEqual([7, 1, 'naïve → 1']);
    expect(text(at(sample, 5, 1, 9, 1, 1))).toBe('text');
  });
});

test('records: what is written is read, and checksums are those of another implementation', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (contents) => {
      const file = join(...contents.map(frameRecord));
      expect(readRecords(file)).toEqual({ records: contents, wholeBytes: file.length });
      expect(independentRecords(file).map((record) => Uint8Array.from(record))).toEqual(contents);
    }),
  );
});

test('whole numbers of any size come back, behind fields of every kind', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
      expect(findInteger(join(textField(3, 'x'), integerField(2, value)), 2)).toBe(value);
      expect(at(integerField(2, value), 2)).toBe(value);
    }),
  );
});

describe('a file cut by a kill at any byte', () => {
  const file = sampleFile();
  const lengths = independentRecords(file).map((record) => record.length + 16);
  const ends = lengths.map((_, index) => lengths.slice(0, index + 1).reduce((sum, length) => sum + length, 0));

  test('keeps every record before the cut, and says that one is unfinished', () => {
    for (let cut = 0; cut <= file.length; cut++) {
      const { records, wholeBytes, fault } = readRecords(file.subarray(0, cut));
      const whole = ends.filter((end) => end <= cut);
      expect(records).toHaveLength(whole.length);
      expect(wholeBytes).toBe(whole.at(-1) ?? 0);
      expect(fault).toBe(wholeBytes === cut ? undefined : 'unfinished');
    }
  });

  test('is cut after a step for going on', () => {
    const kept = truncateEventsAfterStep(file.subarray(0, file.length - 1), 10);
    expect(kept).toEqual(file.subarray(0, ends[1]));
    expect(truncateEventsAfterStep(file, 301)).toEqual(file);
  });

  test('a damaged byte ends reading before its record', () => {
    for (const offset of [3, 8, 14, lengths[0] as number]) {
      const damaged = Uint8Array.from(file);
      damaged[offset] = (damaged[offset] ?? 0) ^ 1;
      const { records, fault } = readRecords(damaged);
      expect(records.length).toBe(offset < (lengths[0] ?? 0) ? 0 : 1);
      expect(fault).toBe('damaged');
    }
  });
});
