/** What heads do: the score of induction heads on a random text repeated twice, and the role that follows. */

import { capture, LanguageModel, loadBackend, noGrad, RandomStream, setBackend, tensor } from 'keyhole';
import { repeatScores, roleOf, summariseAttention } from 'keyhole/monitor';

setBackend(await loadBackend());
const random = new RandomStream(7);
const [vocabulary, period] = [20, 12];
const sizes = { vocabulary, width: 32, heads: 4, hidden: 64, layers: 2, context: 2 * period, dropout: 0 };
const model = new LanguageModel(sizes, random);

const half = Array.from({ length: period }, () => random.uint32() % vocabulary);
const ids = tensor(Int32Array.from([...half, ...half]), [1, 2 * period]);
const trace = noGrad(() => capture(model, { record: { rows: 'all' } }, (context) => model.forward(ids, context)));

for (const { path, record } of trace) {
  const scores = repeatScores(record, period);
  for (const summary of summariseAttention([{ path, kind: 'self', record }])) {
    const own = scores[summary.head];
    const role = roleOf(summary, own && { scores: own });
    console.log(`${path} head ${summary.head}: induction ${own?.induction.toFixed(3)}, role ${role}`);
  }
}
