/** A text classifier on data of one's own: which of two words comes first decides, so a bag of words cannot know. */

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backward, loadBackend, RandomStream, scope, setBackend } from 'keyhole';
import { findPreset, findTask, resolveConfig } from 'keyhole/tasks';
import { AdamW } from 'keyhole/train';

setBackend(await loadBackend());
const random = new RandomStream(1);
const words = ['sea', 'ship', 'whale', 'wind', 'sail', 'mast', 'oar', 'rope'];
const any = (): string => words[random.integer(words.length)] ?? '';

const rows = Array.from({ length: 600 }, () => {
  const up = random.uniform() < 0.5;
  return `"${any()} ${any()} ${up ? 'low, then high' : 'high, then low'} ${any()} ${any()}",${up ? 'rising' : 'falling'}`;
});
const data = join(tmpdir(), 'keyhole-example-48.csv');
writeFileSync(data, `text,label\n${rows.join('\n')}\n`);

const task = findTask('csv');
const sizes = ['width=32', 'heads=2', 'hidden=32', 'context=16', 'batchTokens=640'];
const open = await task.open(resolveConfig('csv', task.schema, findPreset(task, 'quick'), [`data=${data}`, ...sizes]));
for (const notice of open.notices) console.log('note', notice);

const [batches, optimiser] = [open.batches({ epoch: 0, index: 0 }), new AdamW(open.model)];
for (let step = 1; step <= 80; step++) {
  const { batch } = batches.next().value;
  scope(() => {
    backward(open.loss(batch, { training: true, random }).loss);
    optimiser.update({ step, rate: 5e-3, gradientScale: 1 });
  });
}

for (const { title, columns, rows: lines } of open.tables?.('test') ?? []) {
  console.log(`\n${title}`);
  for (const line of [columns, ...lines]) console.log(line.map((cell) => shown(cell).padEnd(14)).join(''));
}
console.log('\nsail low, then high wind:', open.answer('sail low, then high wind').output);

function shown(cell: string | number): string {
  return typeof cell === 'number' && !Number.isInteger(cell) ? cell.toFixed(3) : String(cell);
}
