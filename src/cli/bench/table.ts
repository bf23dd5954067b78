/** What `keyhole bench` shows people: one line a case, written as soon as it is known. */

import type { AttentionFigures } from './attentionBench.js';
import type { Machine } from './machine.js';
import type { BenchFigures } from './suite.js';

const widths = [30, 40, 11, 10, 9];

/** Names of the columns. */
export const heading = columns(['case', 'shape', 'median ms', 'GFLOP/s', 'of peak', '']);

/** The machine, for the table above the cases. */
export function machineRows(machine: Machine): (readonly [string, string])[] {
  const { backend, target, threads, peakGflops, copyGigabytesPerSecond } = machine;
  return [
    ['backend', `${backend} (${target}, ${threads} ${threads === 1 ? 'thread' : 'threads'})`],
    ['peak', peakGflops === null ? 'unknown' : `${peakGflops.toFixed(1)} GFLOP/s of multiply-adds in registers`],
    [
      'copy',
      copyGigabytesPerSecond === null ? 'unknown' : `${copyGigabytesPerSecond.toFixed(1)} GB/s, read and written`,
    ],
  ];
}

/** One case as a line. */
export function rowOf(figures: BenchFigures): string {
  const { medianMs, shape } = figures;
  const [gflops, ofPeak] =
    figures.kind === 'memory' ? ['', ''] : [figures.gflops.toFixed(1), percent(figures.peakRatio)];
  const sizes = Object.entries(shape).map(([letter, size]) => `${letter} ${size}`);
  const speed = [medianMs.toFixed(3), gflops, ofPeak];
  return columns([nameOf(figures), sizes.join(' '), ...speed, remarkOf(figures)]);
}

function nameOf(figures: BenchFigures): string {
  switch (figures.kind) {
    case 'gemm':
      return figures.transposed === 'none' ? 'matmul' : `matmul, ${figures.transposed} transposed`;
    case 'train':
      return `step of ${figures.task}, ${figures.preset}`;
    case 'memory':
      return figures.operation;
    default:
      return `${figures.pass} ${figures.mask}${figures.record === 'none' ? '' : `, record ${figures.record}`}`;
  }
}

function remarkOf(figures: BenchFigures): string {
  const { speedup } = figures;
  const remarks = [...ownRemarks(figures), speedup === undefined ? '' : `${speedup.toFixed(2)} × one thread`];
  return remarks.filter((remark) => remark !== '').join('; ');
}

function ownRemarks(figures: BenchFigures): string[] {
  if (figures.kind === 'gemm') return [];
  if (figures.kind === 'train') return [`${Math.round(figures.tokensPerSecond).toLocaleString('en')} tokens/s`];
  const { gigabytesPerSecond, copyRatio = null } = figures;
  const { overheadRatio, maskRatio, against } = figures.kind === 'memory' ? ({} as Partial<AttentionFigures>) : figures;
  return [
    overheadRatio === undefined ? '' : `${overheadRatio.toFixed(3)} × without record`,
    maskRatio === undefined ? '' : `${maskRatio.toFixed(3)} × ${against}`,
    gigabytesPerSecond === undefined ? '' : `${gigabytesPerSecond.toFixed(1)} GB/s, ${percent(copyRatio)} of copy`,
  ];
}

function percent(ratio: number | null): string {
  return ratio === null ? '-' : `${(100 * ratio).toFixed(1)} %`;
}

function columns(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
    .join('  ')
    .trimEnd();
}
