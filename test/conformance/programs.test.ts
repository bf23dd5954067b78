/**
 * Score programs that nobody wrote: random formulas agree with the float64 reference on every backend, and random words in
 * place of a program are refused or run, by all backends alike. fast-check prints seed and path of a failure;
 * `KEYHOLE_FUZZ_SEED=<seed>` repeats it, `KEYHOLE_FUZZ_RUNS=5000` looks longer.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Expression, type ScorePosition, scoreMod } from '../../src/attention/index.js';
import type { Backend } from '../../src/backend/contract.js';
import { loadBackend } from '../../src/backend/registry.js';
import { scoreOps } from '../../src/core/scoreOps.js';
import { type Case, type Input, input, listed } from './case.js';
import { type AttentionCases, attentionCases } from './cases/attention.js';
import { programInputs, table } from './cases/programs.js';
import { compare, execute, sameBits, truthOf } from './run.js';
import { subjects } from './subjects.js';
import { forEachSubject } from './suite.js';

const runs = Number(process.env.KEYHOLE_FUZZ_RUNS ?? 12);
const seed = process.env.KEYHOLE_FUZZ_SEED;
const parameters = { numRuns: runs, ...(seed && { seed: Number(seed) }) };

/** A formula as data; every value it takes stays within a few units, and so does its slope. */
type Tree =
  | { readonly leaf: 'score' | 'distance' | 'head' | 'key' | 'table' | number }
  | { readonly op: 'negate' | 'absolute' | 'tanh' | 'exp' | 'log' | 'sqrt'; readonly of: Tree }
  | {
      readonly op: 'add' | 'subtract' | 'multiply' | 'divide' | 'minimum' | 'maximum' | 'where';
      readonly a: Tree;
      readonly b: Tree;
    };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: 'medium' },
    fc.record({
      leaf: fc.oneof(
        fc.constantFrom('score', 'score', 'distance', 'head', 'key', 'table'),
        fc.double({ min: -2, max: 2, noNaN: true }),
      ),
    }) as fc.Arbitrary<Tree>,
    fc.record({
      op: fc.constantFrom('negate', 'absolute', 'tanh', 'exp', 'log', 'sqrt'),
      of: tie('tree'),
    }) as fc.Arbitrary<Tree>,
    fc.record({
      op: fc.constantFrom('add', 'subtract', 'multiply', 'divide', 'minimum', 'maximum', 'where'),
      a: tie('tree'),
      b: tie('tree'),
    }) as fc.Arbitrary<Tree>,
  ),
}));

const [heads, keys] = [4, 37] as const;
const values = table([heads, keys], 51);

function grown(node: Tree, score: Expression, position: ScorePosition): Expression {
  const { h, q, k, lookup, where, constant } = position;
  const grow = (child: Tree): Expression => grown(child, score, position);
  if ('leaf' in node) {
    if (node.leaf === 'score') return score;
    if (node.leaf === 'distance') return q.subtract(k).divide(16);
    if (node.leaf === 'head') return h.divide(heads);
    if (node.leaf === 'key') return k.modulo(5).divide(5);
    return node.leaf === 'table' ? lookup(values, h, k) : constant(node.leaf);
  }
  if ('of' in node) {
    const x = grow(node.of);
    if (node.op === 'exp') return x.minimum(1).exp();
    if (node.op === 'log' || node.op === 'sqrt') return x.absolute().add(1)[node.op]();
    return x[node.op]();
  }
  const [a, b] = [grow(node.a), grow(node.b)];
  if (node.op === 'where') return where(q.add(k).modulo(3).less(2), a, b);
  if (node.op === 'multiply') return a.tanh().multiply(b);
  if (node.op === 'divide') return a.divide(b.absolute().add(1));
  return a[node.op](b);
}

function casesOf(node: Tree, at: number): AttentionCases {
  const program = scoreMod((score, position) =>
    grown(node, score, position).tanh().multiply(3).add(score.multiply(0.25)),
  );
  return attentionCases(
    { B: 2, H: heads, G: 2, L: 21, S: keys, D: 8, options: { offset: 9 }, ...programInputs(program) },
    at,
  );
}

/** Wrong rules are wrong by whole units; this is far above what float32 costs in a tree of this kind. */
function agrees(backend: Backend, it: Case): void {
  const truths = truthOf(it);
  for (const [name, got] of Object.entries(execute(backend, it, 'mixed'))) {
    const truth = truths[name] as Float64Array;
    const largest = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    compare(`${it.kernel} ${name}`, got, truth, { absolute: 2e-4 * Math.max(1, largest) });
  }
}

/** Words that a program may consist of, mostly nearly right. */
const word = fc.oneof(fc.integer({ min: -1, max: 12 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 255, 1e6));
const code = fc.oneof(fc.integer({ min: 1, max: scoreOps.length - 1 }), word);
const hostile = fc.record({
  first: fc.constantFrom(0, 0, 0, 0, 1, -1),
  rest: fc.array(fc.tuple(code, word, word, word), { maxLength: 12 }),
  captured: fc.constantFrom(0, 1, 7),
});

function hostileCases({ first, rest, captured }: typeof hostile extends fc.Arbitrary<infer T> ? T : never): Case[] {
  const words = [first, 9, -9, 9, ...rest.flat()];
  const program = listed([words.length / 4, 4], words, { dtype: 'i32' });
  const looked =
    captured > 0
      ? {
          captured: listed(
            [captured],
            Array.from({ length: captured }, (_, x) => x / 7),
          ),
        }
      : {};
  const plain = attentionCases({ H: 2, L: 5, S: 9, D: 4 }, 3);
  return [plain.forward, plain.weights, plain.transposed, plain.backward].map((it) => ({
    ...it,
    inputs: { ...it.inputs, program, ...looked },
    outputs: { ...it.outputs, ...(captured > 0 && it === plain.backward && { dcaptured: [captured] }) },
  }));
}

function refusal(backend: Backend, it: Case): string {
  try {
    execute(backend, it);
    return 'ran';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

forEachSubject((backend) => {
  it('random formulas agree with the reference', () => {
    const property = fc.property(tree, fc.nat(1e6), (node, at) => {
      const { forward, backward, weights, transposed } = casesOf(node, at);
      for (const each of [forward, backward, weights, transposed]) agrees(backend, each);
    });
    fc.assert(property, parameters);
  }, 120_000);

  it('random words are refused or run, as by the reference', () => {
    const reference = subjects[0]?.backend as Backend;
    const property = fc.property(hostile, (given) => {
      for (const each of hostileCases(given)) expect(refusal(backend, each)).toBe(refusal(reference, each));
    });
    fc.assert(property, { ...parameters, numRuns: 10 * runs });
  }, 120_000);
});

/** NaN in every key and value that the program forbids; rows as they would be without them. */
function spoilt(it: Case, first: number): Case {
  const spoil = (x: Input): Input => {
    const [, , S, width] = x.shape as [number, number, number, number];
    return input(x.shape, (index) =>
      Math.floor(index / width) % S >= first ? Number.NaN : (x.values[index] as number),
    );
  };
  const { k, v, ...rest } = it.inputs;
  return { ...it, inputs: { ...rest, ...(k && { k: spoil(k) }), ...(v && { v: spoil(v) }) } };
}

forEachSubject((backend) => {
  it('what a program forbids may hold NaN', () => {
    const program = scoreMod((score, { k, where }) => where(k.less(21), score.tanh(), -Infinity));
    const { forward, recorded, backward, weights, transposed } = attentionCases(
      { B: 2, H: 2, L: 19, S: 150, D: 8, ...programInputs(program) },
      7,
    );
    for (const each of [forward, recorded, backward, weights, transposed]) {
      const clean = execute(backend, each);
      for (const values of Object.values(clean)) expect(values.some(Number.isNaN)).toBe(false);
      for (const [name, got] of Object.entries(execute(backend, spoilt(each, 21))))
        compare(`${each.kernel} ${name}`, got, clean[name] as Float64Array, { absolute: 2e-6, relative: 1e-5 });
    }
  });
});

it.skipIf(!subjects.some(({ options, missing }) => options.backend === 'native' && missing === undefined))(
  'captured gradients have the same bits for any number of threads, few values and many',
  async () => {
    for (const columns of [9, 30_000]) {
      const large = table([7, columns], 52);
      const program = scoreMod((score, { h, q, k, lookup }) =>
        score.add(lookup(large, h, k.multiply(37).add(q).modulo(columns))),
      );
      const { backward } = attentionCases({ B: 2, H: 7, L: 130, S: 600, D: 4, ...programInputs(program) }, 4);
      const one = execute(await loadBackend({ backend: 'native', threads: 1 }), backward);
      for (const threads of [2, 3, 8])
        sameBits(
          `${columns} columns, ${threads} threads`,
          execute(await loadBackend({ backend: 'native', threads }), backward),
          one,
        );
    }
  },
  120_000,
);
