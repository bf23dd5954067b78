/** BigBird over a long sequence: the blocks it attends, drawn as a picture, and what skipping the others saves. */

import { attention, bigBird, compileMask, loadBackend, maskPicture, normal, RandomStream, setBackend } from 'keyhole';
import { maskMapSvg } from 'keyhole/viz';

setBackend(await loadBackend());
const [L, D] = [4096, 32];
const random = new RandomStream(31);
const make = () => normal([1, 1, L, D], { random });
const [q, k, v] = [make(), make(), make()];

const mask = bigBird({ random: 3, seed: 1 }); // one object for all calls: its map is made once
const map = compileMask(mask, { L });
const svg = maskMapSvg(maskPicture(map, { name: 'BigBird' }));
console.log(`picture of ${svg.length} characters; blocks:`, map.counts);

const timeMs = (options: object): number => {
  attention(q, k, v, options);
  const start = performance.now();
  attention(q, k, v, options);
  return performance.now() - start;
};
console.log(`BigBird takes ${((100 * timeMs({ mask })) / timeMs({})).toFixed(0)} % of the time of all pairs`);
