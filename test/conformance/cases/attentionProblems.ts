/**
 * Problems for the attention kernels: sizes of numerics.md, every mask alone and together, grouped heads, softcap,
 * dropout, fully masked rows, empty axes, formulas on scores, maps of blocks, biases by distance and sinks.
 */

import { type Case, type Input, input, listed, normal } from '../case.js';
import { type AttentionCases, attentionCases, booleans, type Problem } from './attention.js';
import { randomBlocks } from './blocks.js';
import { alibi, programs, relativeBias } from './programs.js';

const causal = { right: 0 };

/** A bias with -Infinity in places, and in all of row 1. */
function biasWithHoles(shape: readonly [number, number, number, number], seed: number): Input {
  const base = normal(shape, seed);
  const [, , L, S] = shape;
  return input(shape, (index) => {
    const [i, j] = [Math.floor(index / S) % L, index % S];
    return i === 1 || (i + j) % 4 === 0 ? -Infinity : (base.values[index] as number);
  });
}

const lengths = (values: readonly number[]): Input => listed([values.length], values, { dtype: 'i32' });

const sizes: readonly Problem[] = [
  { L: 1, D: 1 },
  { L: 2, S: 3, D: 2, Dv: 5 },
  { L: 3, S: 0, D: 8 },
  { B: 0, L: 3, D: 8 },
  { L: 0, S: 7, D: 8 },
  { L: 7, S: 15, D: 3, Dv: 1, H: 2 },
  { L: 16, S: 17, D: 16, Dv: 33, B: 2, H: 4, G: 2 },
  { L: 31, S: 33, D: 40, H: 3, G: 1 },
  { L: 65, S: 63, D: 59, Dv: 64 },
  { L: 127, S: 129, D: 64, H: 2 },
  { L: 33, S: 257, D: 80 },
  { L: 255, S: 65, D: 31, Dv: 96 },
  { L: 17, S: 1030, D: 111 },
  { L: 513, S: 127, D: 17 },
  { L: 5, S: 64, D: 192, Dv: 128 },
  { L: 9, S: 70, D: 256, B: 2 },
];

const causals: readonly Problem[] = [
  { L: 1, D: 8, options: causal },
  { L: 33, D: 16, B: 2, H: 2, options: causal },
  { L: 130, D: 65, H: 2, options: causal },
  { L: 3, S: 40, D: 15, options: { ...causal, offset: 37 } },
  { label: 'negative offset leaves rows without keys', L: 20, S: 17, D: 8, options: { ...causal, offset: -5 } },
  { label: 'window', L: 70, D: 33, options: { left: 7, right: 3 } },
  { label: 'causal window', L: 129, D: 16, H: 2, options: { left: 16, right: 0 } },
  { label: 'window past the end', L: 40, S: 12, D: 8, options: { left: 2, right: 0, offset: 3 } },
];

const masked: readonly Problem[] = [
  { B: 3, H: 2, L: 17, S: 33, D: 16, lengths: lengths([33, 0, 5]) },
  { B: 2, L: 31, D: 8, lengths: lengths([40, 20]), options: causal },
  { B: 2, H: 2, L: 17, S: 19, D: 8, mask: booleans([2, 2, 17, 19], 3) },
  { B: 2, H: 2, L: 17, S: 19, D: 8, mask: booleans([2, 2, 17, 19], 4, [1, 2]) },
  {
    label: 'no key for any row',
    B: 2,
    H: 2,
    L: 5,
    S: 7,
    D: 8,
    mask: input([2, 2, 5, 7], () => 0, { dtype: 'u8', broadcast: [0, 1, 2, 3] }),
  },
  { B: 2, H: 2, G: 1, L: 9, S: 21, D: 16, bias: biasWithHoles([2, 2, 9, 21], 5) },
  { H: 3, L: 33, D: 17, bias: normal([1, 3, 33, 33], 6, { broadcast: [1] }) },
  {
    B: 2,
    H: 2,
    L: 20,
    D: 8,
    mask: booleans([2, 2, 20, 20], 8),
    bias: biasWithHoles([2, 2, 20, 20], 9),
    lengths: lengths([15, 20]),
    options: { ...causal, left: 9 },
  },
];

const options: readonly Problem[] = [
  { label: 'many columns', B: 2, H: 4, G: 2, L: 37, S: 135, D: 8, C: 5 },
  { label: 'more columns than a piece', L: 14, S: 33, D: 4, C: 141, options: causal },
  { label: 'softcap', H: 2, L: 33, D: 16, spread: 3, options: { softcap: 5 } },
  { label: 'dropout', B: 2, H: 4, G: 2, L: 33, S: 35, D: 16, options: { dropoutRate: 0.3 } },
  { label: 'dropout of everything', L: 5, D: 8, options: { dropoutRate: 1 - 2 ** -25 } },
  { label: 'scale', L: 21, D: 8, options: { scale: 0.01 } },
  { label: 'negative scale', L: 21, D: 8, options: { scale: -0.5 } },
  { label: 'repeated queries', B: 2, H: 4, G: 2, L: 17, D: 16, broadcast: [0, 1] },
  {
    label: 'all together',
    B: 2,
    H: 4,
    G: 2,
    L: 19,
    D: 24,
    Dv: 40,
    bias: normal([2, 4, 19, 19], 12),
    lengths: lengths([19, 11]),
    options: { ...causal, left: 12, softcap: 8, dropoutRate: 0.2 },
  },
];

/** One query: keys are read in place, in runs that are merged. */
const decoding: readonly Problem[] = [
  { L: 1, S: 2500, D: 20, H: 6, G: 2, options: { offset: 2499, ...causal } },
  { L: 1, S: 1100, D: 36, Dv: 20, B: 2, lengths: lengths([1100, 900]) },
  { L: 1, S: 1030, D: 16, H: 26, G: 1, options: { offset: 1029, left: 300, right: 0, dropoutRate: 0.1 } },
  { L: 1, S: 1050, D: 8, H: 2, mask: booleans([1, 2, 1, 1050], 21), bias: normal([1, 2, 1, 1050], 22) },
  { L: 1, S: 3, D: 140, Dv: 1, H: 2 },
  { label: 'a run without keys', L: 1, S: 2100, D: 8, options: { offset: 2099, left: 20, right: 0, softcap: 3 } },
];

/** Formulas on scores, alone and with what else changes a score. */
const modified: readonly Problem[] = [
  { label: 'program of one instruction', L: 17, S: 21, D: 8, ...programs.nothing },
  { label: 'program softcap', H: 2, L: 33, D: 16, spread: 2, ...programs.softcap },
  { label: 'temperature', B: 2, H: 2, G: 1, L: 19, S: 35, D: 8, spread: 0.8, ...programs.temperature },
  { label: 'ALiBi', H: 4, G: 2, L: 134, D: 16, options: causal, ...alibi(4) },
  { label: 'relative bias', H: 4, G: 2, L: 37, S: 300, D: 8, options: { offset: 100 }, ...relativeBias(4, 12) },
  { label: 'causal by program', H: 4, L: 70, D: 32, ...programs.causal },
  { label: 'documents', B: 2, H: 2, L: 9, D: 8, ...programs.documents },
  { label: 'decay', H: 4, L: 140, S: 30, D: 8, options: { left: 40 }, ...programs.decay },
  { label: 'the score is not used', B: 3, H: 2, L: 5, S: 9, D: 8, ...programs.position },
  { label: 'two tables by key', H: 2, L: 11, S: 40, D: 8, options: { scale: -0.5 }, ...programs.keys },
  {
    label: 'everything in a program',
    B: 2,
    H: 4,
    G: 2,
    L: 19,
    S: 45,
    D: 24,
    mask: booleans([2, 4, 19, 45], 41, [1]),
    bias: biasWithHoles([2, 4, 19, 45], 42),
    lengths: lengths([45, 31]),
    options: { softcap: 4, dropoutRate: 0.2, left: 30, offset: 20 },
    ...programs.everything,
  },
  { label: 'decode', L: 1, S: 2100, D: 16, H: 4, G: 2, options: { ...causal, offset: 2099 }, ...alibi(4) },
  { label: 'no keys', L: 3, S: 0, D: 8, ...alibi(1) },
];

const [middling, decoded] = [
  { B: 2, H: 4, L: 70, S: 333 },
  { B: 2, H: 4, L: 1, S: 2100 },
];

/** Maps of blocks: of one row, of many, repeated over heads, with everything else, and with holes inside a tile. */
const mapped: readonly Problem[] = [
  { ...middling, D: 16, map: randomBlocks(middling, { seed: 31, rows: 64 }) },
  { ...middling, D: 8, G: 2, map: randomBlocks(middling, { seed: 33, rows: 5, broadcast: [0, 1] }), options: causal },
  { B: 1, H: 1, L: 3, S: 7, D: 8, map: randomBlocks({ B: 1, H: 1, L: 3, S: 7 }, { seed: 37, rows: 64, kinds: 1 }) },
  { B: 1, H: 1, L: 0, S: 7, D: 8, map: randomBlocks({ B: 1, H: 1, L: 0, S: 7 }, { seed: 38, rows: 64 }) },
  { ...decoded, D: 8, G: 1, map: randomBlocks(decoded, { seed: 39, rows: 1 }), options: { ...causal, offset: 2099 } },
  {
    ...{ ...middling, D: 24, Dv: 40, G: 2, map: randomBlocks(middling, { seed: 35, rows: 17 }) },
    ...{ mask: booleans([2, 4, 70, 333], 36, [1]), bias: normal([2, 4, 70, 333], 12), lengths: lengths([333, 211]) },
    options: { ...causal, left: 200, offset: 250, softcap: 8, dropoutRate: 0.2 },
  },
];

/** A formula and a map of blocks at once. */
const modifiedAndMapped: Problem = {
  ...{ ...middling, label: 'program and blocks', D: 8, G: 2, options: { ...causal, offset: 263 } },
  ...{ map: randomBlocks(middling, { seed: 43, rows: 17 }), ...relativeBias(4, 12) },
};

/** A table [B, H, L, R] by distance, small so that N4 still speaks of the scores; with -Infinity in places when `holes` are wanted. */
function table(shape: readonly number[], seed: number, broadcast: readonly number[] = [], holes = 0): Input {
  const base = normal(shape, seed, { broadcast, scale: holes > 0 ? 0.25 : 0.5 });
  const value = (index: number): number =>
    holes > 0 && index % holes === 3 ? -Infinity : (base.values[index] as number);
  return input(shape, value, { broadcast });
}

const sinks = (H: number, seed: number, mean = 0): Input => normal([H], seed, { mean });

/** Biases by distance and attention sinks. */
const distances: readonly Problem[] = [
  { L: 1, D: 8, relative: table([1, 1, 1, 1], 30), sinks: sinks(1, 31) },
  { L: 0, S: 5, D: 4, relative: table([1, 1, 0, 3], 32), mass: true, options: { reach: 1 } },
  { label: 'T5', H: 3, L: 70, S: 133, D: 16, relative: table([1, 3, 70, 41], 33, [0, 2]), options: { reach: 20 } },
  {
    label: 'all distances',
    B: 2,
    H: 2,
    L: 37,
    D: 8,
    relative: table([2, 2, 37, 73], 34, [0, 2]),
    options: { reach: 36, ...causal },
  },
  {
    label: 'rows',
    B: 2,
    H: 4,
    G: 2,
    L: 129,
    S: 140,
    D: 20,
    relative: table([2, 4, 129, 33], 35),
    mass: true,
    options: { reach: 16 },
  },
  {
    label: 'rows, shared',
    B: 2,
    H: 2,
    L: 65,
    D: 9,
    relative: table([2, 2, 65, 7], 36, [0, 1]),
    mass: true,
    options: { reach: 3 },
  },
  { label: 'one column', L: 19, D: 8, relative: table([1, 1, 19, 1], 37), mass: true, options: { reach: 0 } },
  { label: 'reach outside', L: 33, D: 8, relative: table([1, 1, 33, 5], 38, [2]), mass: true, options: { reach: -3 } },
  {
    ...{
      label: 'Shaw with everything',
      B: 2,
      H: 4,
      G: 2,
      L: 40,
      S: 300,
      D: 24,
      Dv: 40,
      mass: true,
      sinks: sinks(4, 39),
    },
    ...{
      relative: table([2, 4, 40, 17], 40, [], 11),
      bias: biasWithHoles([2, 4, 40, 300], 41),
      lengths: lengths([290, 11]),
    },
    ...{
      mask: booleans([2, 4, 40, 300], 42),
      options: { reach: 8, offset: 90, right: 40, left: 120, softcap: 6, dropoutRate: 0.2 },
    },
  },
  {
    label: 'softcap',
    H: 2,
    L: 45,
    D: 16,
    relative: table([1, 2, 45, 21], 43, [2]),
    options: { reach: 10, softcap: 3 },
  },
  { label: 'long rows', L: 310, S: 300, D: 8, relative: table([1, 1, 310, 611], 44, [2]), options: { reach: 309 } },
  {
    label: 'decode',
    B: 2,
    H: 6,
    G: 2,
    L: 1,
    S: 2300,
    D: 20,
    mass: true,
    sinks: sinks(6, 45),
    relative: table([2, 6, 1, 65], 46),
    options: { reach: 64, offset: 2299, ...causal },
  },
  {
    label: 'negative scale',
    H: 2,
    L: 21,
    D: 8,
    relative: table([1, 2, 21, 9], 47),
    sinks: sinks(2, 48),
    options: { scale: -0.5, reach: 4 },
  },
  { label: 'sinks', B: 2, H: 4, G: 2, L: 50, D: 16, sinks: sinks(4, 49), options: causal },
  { label: 'sinks above all', H: 2, L: 33, D: 16, sinks: sinks(2, 50, 9) },
  { label: 'sinks far above all', H: 2, L: 9, D: 8, sinks: sinks(2, 51, 200) },
  { label: 'sinks far below all', H: 2, L: 9, D: 8, sinks: sinks(2, 52, -200) },
  {
    label: 'sinks and rows without keys',
    H: 2,
    L: 20,
    S: 17,
    D: 8,
    sinks: sinks(2, 53),
    options: { ...causal, offset: -5, scale: 0 },
  },
  {
    ...{ ...middling, label: 'distance, program, blocks and sinks', D: 8, G: 2, mass: true, sinks: sinks(4, 54) },
    ...{ map: randomBlocks(middling, { seed: 43, rows: 17 }), ...relativeBias(4, 12) },
    ...{ relative: table([2, 4, 70, 33], 55), options: { ...causal, offset: 263, reach: 16 } },
  },
];

/** Every operand that there is. */
const everything: Problem = {
  ...{ label: 'everything', B: 2, H: 4, G: 2, L: 19, S: 45, D: 24, mass: true, sinks: sinks(4, 56) },
  ...{ mask: booleans([2, 4, 19, 45], 57, [1]), bias: biasWithHoles([2, 4, 19, 45], 58), lengths: lengths([45, 31]) },
  ...{ map: randomBlocks({ B: 2, H: 4, L: 19, S: 45 }, { seed: 59, rows: 5 }), relative: table([2, 4, 19, 17], 60) },
  options: { softcap: 4, dropoutRate: 0.2, left: 30, offset: 20, reach: 8 },
  ...programs.everything,
};

export const attentionProblems: readonly Problem[] = [
  ...[...sizes, ...causals, ...masked],
  ...[...options, ...decoding, ...mapped, ...modified],
  ...[modifiedAndMapped, ...distances, everything],
];

export const attention: readonly AttentionCases[] = attentionProblems.map((problem, index) =>
  attentionCases(problem, 10 * index),
);

export const attentionKernelCases: readonly Case[] = attention.flatMap((cases) => Object.values(cases) as Case[]);
