/**
 * The messages of an event file, with the field numbers of tensorboard/compat/proto/{event,summary,tensor}.proto.
 * Scalars, histograms and pictures are written as PyTorch's SummaryWriter writes them, which every version reads.
 */

import type { Histogram } from '../../metrics/histogram.js';
import type { PngImage } from '../kpiLogger.js';
import {
  bytesField,
  doubleField,
  doublesField,
  findInteger,
  floatField,
  integerField,
  join,
  textField,
} from './protobuf.js';

/** The first event of a file names its version; readers refuse a file without it. */
export function versionEvent(seconds: number): Uint8Array {
  return join(doubleField(1, seconds), textField(3, 'brain.Event:2'));
}

/** Says that a program began at `step`: what readers know of this step and later ones from older files is void. */
export function startEvent(seconds: number, step: number): Uint8Array {
  return join(doubleField(1, seconds), integerField(2, step), bytesField(7, integerField(1, 1)));
}

/** One value of a summary at a step. */
export function summaryEvent(seconds: number, step: number, value: Uint8Array): Uint8Array {
  return join(doubleField(1, seconds), integerField(2, step), bytesField(5, bytesField(1, value)));
}

/** The step of an event; 0 when the message has none, as for the event of the version. */
export function stepOf(event: Uint8Array): number {
  return findInteger(event, 2) ?? 0;
}

/** `description` is what TensorBoard shows beside the name; only the first value of a name in a file needs it. */
export function scalarValue(tag: string, value: number, description?: string): Uint8Array {
  return join(textField(1, tag), floatField(2, value), metadata('scalars', description));
}

export function imageValue(tag: string, { width, height, png }: PngImage): Uint8Array {
  const colours = 3; // of the decoded picture: red, green, blue
  const image = join(integerField(1, height), integerField(2, width), integerField(3, colours), bytesField(4, png));
  return join(textField(1, tag), bytesField(4, image));
}

export function histogramValue(tag: string, histogram: Histogram): Uint8Array {
  const { minimum, maximum, count, sum, squareSum, limits, counts } = histogram;
  const numbers = [minimum, maximum, count, sum, squareSum].map((value, index) => doubleField(index + 1, value));
  return join(textField(1, tag), bytesField(5, join(...numbers, doublesField(6, limits), doublesField(7, counts))));
}

/** Text is a tensor of strings [1]; TensorBoard reads it as Markdown. */
export function textValue(tag: string, text: string): Uint8Array {
  const stringType = 7;
  const shape = bytesField(2, integerField(1, 1));
  const tensor = join(integerField(1, stringType), bytesField(2, shape), textField(8, text));
  return join(textField(1, tag), bytesField(8, tensor), metadata('text', ''));
}

function metadata(plugin: string, description: string | undefined): Uint8Array {
  if (description === undefined) return new Uint8Array();
  return bytesField(9, join(bytesField(1, textField(1, plugin)), textField(3, description)));
}
