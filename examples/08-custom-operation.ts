/** Your own operation: one record with its forward and its gradient rule. */

import {
  backward,
  defineOperation,
  loadBackend,
  multiply,
  setBackend,
  square,
  sum,
  type Tensor,
  tensor,
} from 'keyhole';

setBackend(await loadBackend());

/** x³, whose gradient is 3x². */
const cubeOperation = defineOperation({
  name: 'cube',
  forward: ([x]: readonly [Tensor]) => ({ outputs: [multiply(x, square(x))] }),
  backward: ({ inputs: [x] }, [dout]) => [multiply(dout, multiply(square(x), 3))],
});

/** A plain function hides the lists. */
function cube(x: Tensor): Tensor {
  const [out] = cubeOperation([x]);
  return out;
}

const x = tensor([1, 2, 3], [3], { requiresGrad: true });
const loss = sum(cube(x));
backward(loss);
console.log('sum of cubes', loss.item(), ' gradient', Array.from(x.grad?.toArray() ?? []).join(' '));
