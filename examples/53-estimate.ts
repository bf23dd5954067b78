/** Before anything is built: what a language model over long texts would cost, and which mechanism keeps the reach. */

import { compareMechanisms, estimate } from 'keyhole';

const plan = { layers: 8, heads: 8, width: 512, length: 4096, batch: 2, train: true };
const machine = { peakGflops: 118, copyGigabytesPerSecond: 23 }; // as `keyhole bench` measures them
const millions = (count: number): string => (count / 1e6).toFixed(1);

const { parameters, memory } = estimate(plan);
console.log(`${millions(parameters)} million parameters, ${millions(memory.total)} MB to train`);

const { estimates, cheapest } = compareMechanisms(plan, { machine, reach: 2048 });
for (const { mechanism, keyValueHeads, reach, predictedMs } of estimates) {
  const time = `${((predictedMs ?? 0) / 1000).toFixed(1)} s predicted`;
  console.log(`${mechanism.padEnd(18)} G ${keyValueHeads}  ${time}, ${reach.allLayers} positions back`);
}
console.log(`cheapest that reaches 2048 back: ${cheapest?.mechanism}`);
