/** A language model of one sentence: a tokenizer is learned, the model is trained, and it writes on. */

import {
  backward,
  crossEntropy,
  generate,
  LanguageModel,
  loadBackend,
  mean,
  RandomStream,
  scope,
  setBackend,
  tensor,
} from 'keyhole';
import { ByteLevelBpe } from 'keyhole/data';
import { AdamW } from 'keyhole/train';

setBackend(await loadBackend());
const text = 'Call me Ishmael. Some years ago, never mind how long precisely, I thought I would sail about a little. ';
const tokenizer = ByteLevelBpe.train(text.repeat(4), 300);
const ids = Int32Array.from(tokenizer.encode(text.repeat(8)));

const context = 32;
const sizes = { vocabulary: tokenizer.size, width: 32, heads: 4, hidden: 64, layers: 2, context, dropout: 0 };
const model = new LanguageModel(sizes, new RandomStream(1));
const [optimiser, random] = [new AdamW(model), new RandomStream(2)];

for (let step = 1; step <= 150; step++) {
  const loss = scope(() => {
    const start = random.integer(ids.length - context - 1);
    const part = (from: number) => tensor(ids.slice(start + from, start + from + context), [1, context]);
    const loss = mean(crossEntropy(model.forward(part(0), { training: true, random }), part(1)));
    backward(loss);
    optimiser.update({ step, rate: 5e-3, gradientScale: 1 });
    return loss.item();
  });
  if (step % 50 === 0) console.log(`step ${step}: loss ${loss.toFixed(2)}`);
}

const written = generate(model, [...tokenizer.encode('Call me')], { tokens: 20, temperature: 0, random });
const textOf = tokenizer.decoder();
process.stdout.write('Call me');
for (const { token } of written) process.stdout.write(textOf(token));
console.log();
