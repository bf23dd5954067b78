/** A layer from PyTorch: `nn.MultiheadAttention` by the names of its parameters, then used and looked into. */

import {
  capture,
  causal,
  loadBackend,
  normal,
  pytorchAttention,
  RandomStream,
  setBackend,
  type Tensor,
  zeros,
} from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(11);

// In earnest these come out of `state_dict()`, for example through a safetensors file.
const parameters = new Map<string, Tensor>([
  ['in_proj_weight', normal([24, 8], { random, std: 0.5 })], // q, k and v below each other
  ['in_proj_bias', zeros([24])],
  ['out_proj.weight', normal([8, 8], { random, std: 0.5 })],
  ['out_proj.bias', zeros([8])],
]);

const layer = pytorchAttention(parameters, { heads: 2, mechanisms: [{ mask: causal(), softcap: 20 }] });
for (const [name, { shape }] of layer.parameters()) console.log(name.padEnd(10), shape.join(' × '));

const x = normal([1, 6, 8], { random });
const [seen] = capture(layer, { record: { topK: 1 } }, (context) => layer.forward(x, context));
console.log('most read ', Array.from(seen?.record.top?.keys ?? []).join(' '));

// What is not supported says so.
try {
  pytorchAttention(new Map([...parameters, ['bias_k', zeros([1, 1, 8])]]), { heads: 2 });
} catch (error) {
  console.log('refused   ', error instanceof Error ? error.message.split('got ')[1] : error);
}
