/** Linear attention by its paper: features, sums and their quotient, one pair at a time. */

import { type LinearAttentionOptions, linearAttention } from '../../src/attention/index.js';
import type { Backend } from '../../src/backend/contract.js';
import { sizeOf } from '../../src/core/shape.js';
import { noGrad, scope, slice, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, type Numbers, normals } from './agree.js';
import { type Mechanism, type Sizes, tableSizes } from './mechanism.js';

interface LinearForm {
  readonly name: string;
  readonly use: string;
  readonly phi: (x: number) => number;
  readonly options: LinearAttentionOptions;
}

export function viaLinear({ name, use, phi, options }: LinearForm): Mechanism {
  const fitted = (sizes: Sizes): Sizes => (options.causal ? { ...sizes, S: sizes.L } : sizes);
  return {
    ...{ name, use, cost: 'O(L·D·Dv) time and O(L·D) memory', paper: 'Katharopoulos et al. 2020' },
    agreement: (given) => {
      const sizes = fitted(given);
      return {
        inputs: shapes(sizes),
        run: ([q, k, v]) => linearAttention(q as Tensor, k as Tensor, v as Tensor, options).out,
        formula: ([q, k, v]) => {
          const products = featureProducts(q as Numbers, k as Numbers, sizes, phi, options);
          return quotient(products, v as Numbers, sizes, options.normalise ?? options.features !== 'identity');
        },
      };
    },
    record:
      options.features === 'identity' ? undefined : (backend) => checkRecord(phi, options, fitted(tableSizes), backend),
    cache: options.causal ? (backend) => checkState(options, backend) : undefined,
  };
}

function shapes({ B, H, G, L, S, D, Dv }: Sizes): readonly (readonly number[])[] {
  return [[B, H, L, D], [B, G, S, D], [B, G, S, Dv]]; // biome-ignore format: one line
}

/** φ(q_i)·φ(k_j) of every pair [B, H, L, S]; 0 for pairs that do not count. */
function featureProducts(
  q: Numbers,
  k: Numbers,
  { B, H, G, L, S, D }: Sizes,
  phi: (x: number) => number,
  { causal, lengths }: LinearAttentionOptions,
): Float64Array {
  return Float64Array.from({ length: B * H * L * S }, (_, at) => {
    const [j, i, h, b] = [at % S, Math.floor(at / S) % L, Math.floor(at / (L * S)) % H, Math.floor(at / (H * L * S))];
    if ((causal && j > i) || j >= (lengths?.[b] ?? S)) return 0;
    const [row, key] = [((b * H + h) * L + i) * D, ((b * G + Math.floor(h / (H / G))) * S + j) * D];
    let total = 0;
    for (let d = 0; d < D; d++) total += phi(q[row + d] as number) * phi(k[key + d] as number);
    return total;
  });
}

function quotient(products: Numbers, v: Numbers, { B, H, G, L, S, Dv }: Sizes, normalise: boolean): Float64Array {
  return Float64Array.from({ length: B * H * L * Dv }, (_, at) => {
    const row = Math.floor(at / Dv);
    const [h, b] = [Math.floor(row / L) % H, Math.floor(row / (H * L))];
    let [total, mass] = [0, 0];
    for (let j = 0; j < S; j++) {
      const product = products[row * S + j] as number;
      total += product * (v[((b * G + Math.floor(h / (H / G))) * S + j) * Dv + (at % Dv)] as number);
      mass += product;
    }
    if (!normalise) return total;
    return mass === 0 ? 0 : total / mass;
  });
}

function tensors(sizes: Sizes, backend: Backend): readonly [Tensor, Tensor, Tensor] {
  return shapes(sizes).map((shape, at) =>
    tensor(normals(sizeOf(shape), at + 1), shape, { backend, dtype: 'f32' }),
  ) as unknown as [Tensor, Tensor, Tensor];
}

/** The recorded weights are the products over their sums. */
function checkRecord(
  phi: (x: number) => number,
  options: LinearAttentionOptions,
  sizes: Sizes,
  backend: Backend,
): void {
  const [q, k, v] = tensors(sizes, backend);
  const { record } = linearAttention(q, k, v, { ...options, record: { rows: 'all' } });
  const products = featureProducts(Array.from(q.toArray()), Array.from(k.toArray()), sizes, phi, options);
  const { S } = sizes;
  const wanted = products.map((product, at) => {
    const row = products.slice(Math.floor(at / S) * S, Math.floor(at / S) * S + S).reduce((a, b) => a + b);
    return row === 0 ? 0 : product / row;
  });
  expectClose(record?.read().weights?.values ?? [], wanted, 1e-6, 'weights');
}

/** Decoding with the state, one and several tokens at a time, gives what the whole sequence gives. */
function checkState(options: LinearAttentionOptions, backend: Backend): void {
  noGrad(() =>
    scope(() => {
      const { lengths, ...rest } = options;
      const [q, k, v] = tensors({ ...tableSizes, L: 9, S: 9 }, backend);
      const whole = linearAttention(q, k, v, rest);
      let state: Tensor | undefined;
      for (const [start, end] of [
        [0, 4],
        [4, 5],
        [5, 6],
        [6, 9],
      ] as const) {
        // biome-ignore format: a list of steps
        const part = (x: Tensor): Tensor => slice(x, 2, start, end);
        const step = linearAttention(part(q), part(k), part(v), { ...rest, state });
        expectClose(step.out.toArray(), part(whole.out).toArray(), 1e-5, `positions ${start} to ${end}`);
        state = step.state;
      }
      expectClose(state?.toArray() ?? [], whole.state.toArray(), 1e-5, 'state');
    }),
  );
}
