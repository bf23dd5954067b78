/** What a formula on scores cannot be: each mistake is an error that says what to write instead. */

import { attention, loadBackend, type ScoreFormula, scoreMod, setBackend, zeros } from 'keyhole';

setBackend(await loadBackend());
const table = zeros([4]);
let calls = 0;

const mistakes: readonly (readonly [string, ScoreFormula])[] = [
  ['an operator of JavaScript', (score, { q, k }) => (q < k ? score : 0)],
  ['a choice by ?:', (score, { q, k }) => (k.greater(q) ? -Infinity : score)],
  ['side effects', (score) => score.add(calls++)],
  ['a table that is too short', (score, { q, lookup }) => score.add(lookup(table, q))],
];

const x = zeros([1, 1, 6, 2]);
for (const [name, formula] of mistakes) {
  try {
    attention(x, x, x, { scoreMod: scoreMod(formula) });
  } catch (error) {
    console.log(`${name}\n  ${(error as Error).message.replaceAll('\n', '\n  ')}\n`);
  }
}

const { out } = attention(x, x, x, {
  scoreMod: scoreMod((score, { q, lookup }) => score.add(lookup(table, q.clamp(0, 3)))),
});
console.log('with a clamp', out.shape.join(' × '));
