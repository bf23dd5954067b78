/**
 * The published ONNX Attention cases (opset 23 and 24) through the fused call, on every backend: every output of every
 * case. They pin semantics: grouped heads, softcap before mask, causal offset = past length, zeros for fully masked rows.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, type TensorProto, TensorProtoSchema } from 'onnx-buf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attention } from '../src/attention/attention.js';
import { KeyValueCache } from '../src/attention/cache.js';
import { computeAttentionWeights } from '../src/attention/explicit.js';
import { and, booleanMask, causal, keyPadding, type Mask } from '../src/attention/mask.js';
import type { AttentionOptions } from '../src/attention/options.js';
import { loadBackend } from '../src/backend/registry.js';
import { setBackend, tensor } from '../src/tensor/create.js';
import { concat } from '../src/tensor/join.js';
import type { Tensor } from '../src/tensor/tensor.js';
import { permute, reshape, slice } from '../src/tensor/views.js';

const root = fileURLToPath(new URL('../../shared/vectors/onnx-attention/', import.meta.url));
const cases = existsSync(root) ? readdirSync(root) : [];

interface Case {
  readonly attributes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, TensorProto>>;
}

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

function valuesOf({ dataType, rawData }: TensorProto): number[] {
  const bytes = Uint8Array.from(rawData).buffer;
  if (dataType === 1) return [...new Float32Array(bytes)];
  if (dataType === 7) return [...new BigInt64Array(bytes)].map(Number);
  if (dataType === 9) return [...new Uint8Array(bytes)];
  if (dataType === 10) return [...new Uint16Array(bytes)].map(half);
  throw new Error(`tensor type ${dataType} is new here; extend valuesOf`);
}

function toTensor(proto: TensorProto): Tensor {
  return tensor(valuesOf(proto), proto.dims.map(Number), { dtype: proto.dataType === 9 ? 'u8' : 'f32' });
}

function readCase(name: string): Case {
  const node = fromBinary(ModelProtoSchema, readFileSync(`${root}${name}/model.onnx`)).graph?.node[0];
  const load = (kind: string, names: readonly string[]): [string, TensorProto][] =>
    names
      .filter((item) => item !== '')
      .map((item, index) => [
        item,
        fromBinary(TensorProtoSchema, readFileSync(`${root}${name}/test_data_set_0/${kind}_${index}.pb`)),
      ]);
  return {
    attributes: Object.fromEntries((node?.attribute ?? []).map(({ name: key, f, i }) => [key, f || Number(i)])),
    inputs: Object.fromEntries(load('input', node?.input ?? []).map(([key, proto]) => [key, toTensor(proto)])),
    outputs: Object.fromEntries(load('output', node?.output ?? [])),
  };
}

function splitHeads(x: Tensor, heads: number): Tensor {
  if (x.shape.length === 4) return x;
  const [B, L, E] = x.shape as [number, number, number];
  return permute(reshape(x, [B, L, heads, E / heads]), [0, 2, 1, 3]);
}

/** All keys and values, what a cache held before in front. */
function allKeys({ attributes, inputs }: Case): { readonly k: Tensor; readonly v: Tensor } {
  const { K, V, past_key, past_value } = inputs as Record<string, Tensor>;
  const [k, v] = [K, V].map((x) => splitHeads(x as Tensor, attributes.kv_num_heads ?? 0)) as [Tensor, Tensor];
  if (!past_key || !past_value) return { k, v };
  const cache = new KeyValueCache();
  cache.append(past_key, past_value);
  return cache.append(k, v);
}

/** The case in Keyhole's words. */
function translate(given: Case): { q: Tensor; k: Tensor; v: Tensor; options: AttentionOptions } {
  const { attributes, inputs } = given;
  const { Q, attn_mask, past_key } = inputs as Record<string, Tensor>;
  const q = splitHeads(Q as Tensor, attributes.q_num_heads ?? 0);
  const { k, v } = allKeys(given);
  const masks: Mask[] = [];
  if (attributes.is_causal) masks.push(causal());
  if (attn_mask?.dtype === 'u8') masks.push(booleanMask(attn_mask));
  if (inputs.nonpad_kv_seqlen) masks.push(keyPadding(Array.from(inputs.nonpad_kv_seqlen.toArray())));
  const options: AttentionOptions = {
    mask: and(...masks),
    bias: attn_mask?.dtype === 'f32' ? attn_mask : undefined,
    scale: attributes.scale,
    softcap: attributes.softcap,
    offset: past_key?.shape[2],
  };
  return { q, k, v, options };
}

/** With external caches the causal offset differs by sequence: valid keys minus queries. One call a sequence. */
function run(given: Case): Tensor {
  const { q, k, v, options } = translate(given);
  const lengths = options.mask?.lengths;
  if (!lengths || !given.attributes.is_causal) return attention(q, k, v, options).out;
  const one = (x: Tensor, b: number): Tensor => slice(x, 0, b, b + 1);
  const outs = lengths.map((length, b) => {
    const rowOf = (x: Tensor | undefined) => (x?.shape.length === 4 && x.shape[0] !== 1 ? one(x, b) : x);
    const mask: Mask = { ...(options.mask as Mask), lengths: [length], allowed: rowOf(options.mask?.allowed) };
    const bias = rowOf(options.bias as Tensor | undefined);
    return attention(one(q, b), one(k, b), one(v, b), {
      ...options,
      mask,
      bias,
      offset: length - (q.shape[2] as number),
    }).out;
  });
  return concat(outs, 0);
}

function expectClose(actual: ArrayLike<number>, expected: TensorProto): void {
  const values = valuesOf(expected);
  const tolerance = expected.dataType === 10 ? 1e-3 : 1e-6; // one half-precision ulp near 1 is 9.8e-4
  expect(actual.length).toBe(values.length);
  values.forEach((value, index) => {
    if (Number.isFinite(value)) expect(Math.abs((actual[index] as number) - value)).toBeLessThanOrEqual(tolerance);
    else expect(actual[index]).toBe(value);
  });
}

/** Q·Kᵀ at the stage that the case asks for: after softmax (3), or after softcap, bias and mask (2). */
function expectScores(given: Case): void {
  const expected = given.outputs.qk_matmul_output;
  if (!expected) return;
  const { q, k, v, options } = translate(given);
  const weights = computeAttentionWeights(q, k, options).toArray();
  const mode = given.attributes.qk_matmul_output_mode;
  expect([2, 3]).toContain(mode);
  const lse = attention(q, k, v, options).lse.toArray();
  const S = weights.length / lse.length;
  // p = exp(score - lse), and a score of -Infinity where the mask forbids.
  const scoreOf = (p: number, index: number): number => Math.log(p) + (lse[Math.floor(index / S)] as number);
  expectClose(mode === 3 ? weights : Array.from(weights, scoreOf), expected);
}

/** The keys and values that the cache holds now, bit by bit. */
function expectPresent(given: Case): void {
  const { k, v } = allKeys(given);
  for (const [name, held] of Object.entries({ present_key: k, present_value: v })) {
    const expected = given.outputs[name];
    if (expected) expect(Array.from(held.toArray()), name).toEqual(valuesOf(expected));
  }
}

const compared = new Set(['Y', 'present_key', 'present_value', 'qk_matmul_output']);

describe.skipIf(cases.length === 0)('published ONNX attention cases', () => {
  describe.each(['reference', 'native', 'wasm'] as const)('%s', (backend) => {
    let available = true;
    beforeAll(async () => {
      try {
        setBackend(await loadBackend({ backend }));
      } catch (error) {
        available = false;
        console.warn(`${backend} is not here, its cases are skipped: ${(error as Error).message}`);
      }
    });

    it.for(cases)('%s', (name, { skip }) => {
      skip(!available, `no ${backend} backend here`);
      const given = readCase(name);
      const out = run(given);
      const heads = out.shape[1] as number;
      const packed = given.outputs.Y?.dims.length === 3 ? permute(out, [0, 2, 1, 3]) : out;
      expect(heads).toBeGreaterThan(0);
      expectClose(packed.toArray(), given.outputs.Y as TensorProto);
      expectScores(given);
      expectPresent(given);
      expect(Object.keys(given.outputs).filter((output) => !compared.has(output))).toEqual([]);
    });
  });

  afterAll(async () => setBackend(await loadBackend({ backend: 'reference' })));
});
