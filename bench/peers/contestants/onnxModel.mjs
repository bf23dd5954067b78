// The ONNX models that ONNX Runtime is given: one node each, MatMul, or com.microsoft's MultiHeadAttention or, for
// decoding, GroupQueryAttention.
import { create, toBinary } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema, ModelProtoSchema } from 'onnx-buf';

const [float, int32] = [1, 6];

/** The bytes of the model of a case, and its inputs with their shapes. */
export function modelOf(testCase, inputs) {
  const { M, N, K, B, L, H, D } = testCase;
  if (testCase.kind === 'decode') return decoding(testCase, inputs);
  if (testCase.kind === 'matmul') {
    const shapes = { a: [M, K], b: [K, N] };
    return { bytes: model({ opType: 'MatMul' }, shapes, { out: [M, N] }), feeds: feedsOf(shapes, inputs) };
  }
  const shape = [B, L, H * D];
  const shapes = { q: shape, k: shape, v: shape };
  const attribute = [integer('num_heads', H), ...(testCase.causal ? [integer('unidirectional', 1)] : [])];
  const node = { opType: 'MultiHeadAttention', domain: 'com.microsoft', attribute };
  return { bytes: model(node, shapes, { out: shape }), feeds: feedsOf(shapes, inputs) };
}

/** It gives back the cache with the new key and value; only an owner of both buffers could have that without a copy. */
function decoding({ B, H, G, S, D }, inputs) {
  const past = [B, G, S - 1, D];
  const shapes = {
    ...{ q: [B, 1, H * D], k: [B, 1, G * D], v: [B, 1, G * D], pastKey: past, pastValue: past },
    ...{ lastKeys: [B], keys: [1] },
  };
  const counts = { lastKeys: Int32Array.from({ length: B }, () => S - 1), keys: Int32Array.of(S) };
  const attribute = [integer('num_heads', H), integer('kv_num_heads', G)];
  const node = { opType: 'GroupQueryAttention', domain: 'com.microsoft', attribute };
  const outputs = { out: [B, 1, H * D], presentKey: undefined, presentValue: undefined };
  return { bytes: model(node, shapes, outputs, Object.keys(counts)), feeds: feedsOf(shapes, { ...inputs, ...counts }) };
}

function model(node, shapes, outputs, integers = []) {
  const graph = {
    name: 'peer',
    node: [{ ...node, input: Object.keys(shapes), output: Object.keys(outputs) }],
    input: Object.entries(shapes).map(([name, shape]) =>
      valueInfo(name, shape, integers.includes(name) ? int32 : float),
    ),
    output: Object.entries(outputs).map(([name, shape]) => valueInfo(name, shape, float)),
  };
  const opsetImport = [
    { domain: '', version: 17n },
    { domain: 'com.microsoft', version: 1n },
  ];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph }));
}

/** Without a shape where the runtime's packages infer different ones. */
function valueInfo(name, shape, elemType) {
  const dim = shape?.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }));
  return { name, type: { value: { case: 'tensorType', value: { elemType, ...(dim && { shape: { dim } }) } } } };
}

function integer(name, value) {
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
}

function feedsOf(shapes, inputs) {
  return Object.entries(shapes).map(([name, shape]) => ({ name, shape, values: inputs[name] }));
}
