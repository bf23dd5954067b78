/** The smallest layer: one head of self-attention, its parameters, and its weights under capture. */

import { capture, loadBackend, normal, RandomStream, SelfAttention, setBackend } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(3);

const layer = new SelfAttention(8, random);
const x = normal([1, 4, 8], { random }); // [B, L, E]

for (const [name, parameter] of layer.parameters()) console.log(name.padEnd(8), parameter.shape.join(' × '));

// There is no global switch: whoever runs a layer says how, in the context.
const [seen] = capture(layer, { record: { rows: 'all' } }, (context) => layer.forward(x, context));
const weights = Array.from(seen?.record.weights?.values ?? []);
for (let row = 0; row < 4; row++) {
  const cells = weights.slice(4 * row, 4 * row + 4);
  console.log(`row ${row}  `, cells.map((weight) => weight.toFixed(2)).join('  '));
}
