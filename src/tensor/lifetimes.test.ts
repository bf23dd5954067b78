import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../backend/contract.js';
import { createReferenceBackend } from '../backend/reference/index.js';
import { StateError } from '../core/errors.js';
import {
  adamwUpdate,
  add,
  backward,
  contiguous,
  detach,
  drainPool,
  heldTensors,
  keep,
  linear,
  liveBuffers,
  mean,
  multiply,
  noGrad,
  ones,
  pooledBuffers,
  relu,
  reshape,
  scaleInto,
  scope,
  setBackend,
  square,
  squareSum,
  sum,
  Tensor,
  type TensorHolder,
  tensor,
  transpose,
  zeroGradients,
  zeros,
} from './index.js';
import { sizeClass } from './pool.js';

let backend: Backend;
beforeEach(() => {
  backend = createReferenceBackend();
  setBackend(backend);
});

test('size classes waste at most a quarter and cover every length', () => {
  for (let length = 16; length < 5000; length++) {
    const size = sizeClass(length);
    expect(size).toBeGreaterThanOrEqual(length);
    expect(size).toBeLessThanOrEqual(length * 1.25);
    expect(sizeClass(size)).toBe(size);
  }
});

describe('scope', () => {
  test('frees what was made inside and returns the survivor', () => {
    const a = ones([4]);
    const result = scope(() => add(multiply(a, 2), multiply(a, 3)));
    expect([...result.toArray()]).toEqual([5, 5, 5, 5]);
    expect(liveBuffers(backend)).toBe(2);
    expect(pooledBuffers(backend)).toBe(2);
  });

  test('survivors come back in arrays, objects and maps', () => {
    const kept = scope(() => {
      zeros([3]);
      return { list: [ones([2])], map: new Map([['x', ones([2])]]) };
    });
    expect(kept.list[0]?.item).toBeDefined();
    expect(kept.map.get('x')?.toArray()).toHaveLength(2);
    expect(liveBuffers(backend)).toBe(2);
  });

  test('an object names its private tensors', () => {
    class Box implements TensorHolder {
      readonly #inside = ones([2]);
      [heldTensors](): Tensor[] {
        return [this.#inside];
      }
      values(): number[] {
        return Array.from(this.#inside.toArray());
      }
    }
    expect(scope(() => ({ box: new Box() })).box.values()).toEqual([1, 1]);
  });

  test('nested scopes hand survivors to the parent, which frees them', () => {
    let inner: Tensor | undefined;
    scope(() => {
      inner = scope(() => add(ones([2]), 1));
      expect([...inner.toArray()]).toEqual([2, 2]);
    });
    expect(inner?.disposed).toBe(true);
    expect(liveBuffers(backend)).toBe(0);
  });

  test('a tensor from outside that is returned is still freed by its own scope', () => {
    let outer: Tensor | undefined;
    scope(() => {
      outer = ones([2]);
      scope(() => outer);
    });
    expect(outer?.disposed).toBe(true);
  });

  test('keep takes a tensor out of every scope', () => {
    const kept = scope(() => {
      const inside = scope(() => ({ box: () => survivor }));
      const survivor = keep(ones([2]));
      return inside.box;
    })();
    expect([...kept.toArray()]).toEqual([1, 1]);
    kept.dispose();
    expect(liveBuffers(backend)).toBe(0);
  });

  test('an error inside frees everything', () => {
    expect(() =>
      scope(() => {
        ones([2]);
        scope(() => {
          ones([2]);
          throw new Error('inside');
        });
      }),
    ).toThrow('inside');
    expect(liveBuffers(backend)).toBe(0);
  });

  test('refuses an asynchronous body', () => {
    expect(() => scope(async () => ones([2]))).toThrow(StateError);
  });

  test('parameters and their gradients outlive the scope', () => {
    const weight = scope(() => {
      const made = ones([2], { requiresGrad: true });
      backward(sum(square(made)));
      return { get: () => made };
    }).get();
    expect([...(weight.grad?.toArray() ?? [])]).toEqual([2, 2]);
    expect(liveBuffers(backend)).toBe(2);
    weight.dispose();
    expect(liveBuffers(backend)).toBe(0);
  });

  test('temporaries of an operation are freed without any scope', () => {
    const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    const out = reshape(transpose(x), [6]);
    expect([...out.toArray()]).toEqual([1, 4, 2, 5, 3, 6]);
    expect(liveBuffers(backend)).toBe(3 - 1);
  });
});

describe('disposal', () => {
  test('using a disposed tensor names the function', () => {
    const a = ones([2]);
    a.dispose();
    a.dispose();
    expect(() => add(a, a)).toThrow(/^add: expected a live tensor, got a disposed one of shape \[2\]/);
    expect(() => a.toArray()).toThrow(/^toArray: expected a live tensor/);
    expect(() => a.item()).toThrow(StateError);
    expect(() => a.buffer).toThrow(StateError);
    expect(() => detach(a)).toThrow(/^detach/);
    expect(() => scaleInto(a, 2)).toThrow(/^scaleInto/);
  });

  test('a view keeps the memory after its source is disposed', () => {
    const a = tensor([1, 2, 3, 4], [2, 2]);
    const view = transpose(a);
    a.dispose();
    expect([...view.toArray()]).toEqual([1, 3, 2, 4]);
    view[Symbol.dispose]();
    expect(liveBuffers(backend)).toBe(0);
    expect(pooledBuffers(backend)).toBe(1);
    drainPool(backend);
    expect(pooledBuffers(backend)).toBe(0);
  });

  test('a graph keeps what backward needs after the scope is closed, and lets go when it is dropped', () => {
    const w = tensor([1, 2, 3], [3], { requiresGrad: true });
    const loss = scope(() => sum(multiply(square(w), w)));
    backward(loss);
    expect([...(w.grad?.toArray() ?? [])]).toEqual([3, 12, 27]);
    loss.dispose();
    expect(liveBuffers(backend)).toBe(2);

    const unused = scope(() => sum(relu(square(contiguous(transpose(reshape(w, [3, 1])))))));
    expect(liveBuffers(backend)).toBeGreaterThan(3);
    unused.dispose();
    expect(liveBuffers(backend)).toBe(2);
  });

  test('a long graph is let go without recursion', () => {
    const w = ones([1], { requiresGrad: true });
    const end = scope(() => {
      let x = add(w, 0);
      for (let step = 0; step < 20_000; step++) x = add(x, 0);
      return x;
    });
    end.dispose();
    expect(liveBuffers(backend)).toBe(1);
  });

  test('the finalizer returns lost memory', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let at = 0; at < 50; at++) ones([64]);
    const w = keep(ones([64]));
    w.requiresGrad = true;
    for (let at = 0; at < 10; at++) scope(() => scope(() => square(scope(() => relu(square(w))))));
    expect(liveBuffers(backend)).toBe(50 + 1 + 10 * 3);
    for (let wait = 0; wait < 20 && liveBuffers(backend) > 1; wait++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(liveBuffers(backend)).toBe(1);
    expect(w.disposed).toBe(false);
  });
});

describe('a training step', () => {
  const state = (like: Tensor) => ({ m: zeros(like.shape), v: zeros(like.shape) });

  test('allocates nothing once warm', () => {
    let allocations = 0;
    const counting: Backend = {
      info: backend.info,
      alloc: (dtype, length) => {
        allocations++;
        return backend.alloc(dtype, length);
      },
      free: (buffer) => backend.free(buffer),
      read: (buffer, offset, length) => backend.read(buffer, offset, length),
      write: (buffer, offset, values) => backend.write(buffer, offset, values),
      run: (kernel, operands, scalars) => backend.run(kernel, operands, scalars),
    };
    setBackend(counting);
    const parameters = [
      tensor(
        Float64Array.from({ length: 40 }, (_, at) => Math.sin(at)),
        [8, 5],
        { requiresGrad: true },
      ),
      zeros([8], { requiresGrad: true }),
      tensor(
        Float64Array.from({ length: 8 }, (_, at) => Math.cos(at)),
        [1, 8],
        { requiresGrad: true },
      ),
    ] as const;
    const moments = parameters.map(state);
    const x = tensor(
      Float64Array.from({ length: 30 }, (_, at) => Math.sin(at * 7)),
      [6, 5],
    );
    const losses: number[] = [];
    const live: number[] = [];
    const counts: number[] = [];
    for (let step = 1; step <= 6; step++) {
      scope(() => {
        const [w1, b1, w2] = parameters;
        const loss = mean(square(add(linear(relu(linear(x, w1, b1)), w2), -0.5)));
        backward(loss);
        const norm = Math.sqrt(squareSum(parameters.map(({ grad }) => grad as Tensor)).item());
        const options = { rate: 0.05, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.01, step };
        parameters.forEach((parameter, at) => {
          const { m, v } = moments[at] as { m: Tensor; v: Tensor };
          adamwUpdate(parameter, m, v, parameter.grad as Tensor, { ...options, gradientScale: 1 / Math.max(1, norm) });
        });
        losses.push(loss.item());
        zeroGradients(parameters);
      });
      live.push(liveBuffers(counting));
      counts.push(allocations);
    }
    expect(counts.slice(1)).toEqual(counts.slice(1).fill(counts[0] as number));
    expect(new Set(live).size).toBe(1);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  });

  test('inference without a graph keeps only its result', () => {
    const w = ones([4, 4], { requiresGrad: true });
    const x = ones([2, 4]);
    const out = noGrad(() => scope(() => relu(linear(relu(linear(x, w)), w))));
    expect(out.requiresGrad).toBe(false);
    expect(liveBuffers(backend)).toBe(3);
    expect(out).toBeInstanceOf(Tensor);
  });
});
