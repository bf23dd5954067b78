// The ONNX models that ONNX Runtime is given: one node each, MatMul or com.microsoft's MultiHeadAttention.
import { create, toBinary } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, AttributeProtoSchema, ModelProtoSchema } from 'onnx-buf';

const float = 1;

/** The bytes of the model of a case, and its inputs with their shapes. */
export function modelOf(testCase, inputs) {
  const { M, N, K, B, L, H, D } = testCase;
  if (testCase.kind === 'matmul') {
    const shapes = { a: [M, K], b: [K, N] };
    return { bytes: model({ opType: 'MatMul' }, shapes, [M, N]), feeds: feedsOf(shapes, inputs) };
  }
  const shape = [B, L, H * D];
  const shapes = { q: shape, k: shape, v: shape };
  const attribute = [integer('num_heads', H), ...(testCase.causal ? [integer('unidirectional', 1)] : [])];
  const node = { opType: 'MultiHeadAttention', domain: 'com.microsoft', attribute };
  return { bytes: model(node, shapes, shape), feeds: feedsOf(shapes, inputs) };
}

function model(node, shapes, outputShape) {
  const graph = {
    name: 'peer',
    node: [{ ...node, input: Object.keys(shapes), output: ['out'] }],
    input: Object.entries(shapes).map(([name, shape]) => valueInfo(name, shape)),
    output: [valueInfo('out', outputShape)],
  };
  const opsetImport = [
    { domain: '', version: 17n },
    { domain: 'com.microsoft', version: 1n },
  ];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph }));
}

function valueInfo(name, shape) {
  const dim = shape.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }));
  return { name, type: { value: { case: 'tensorType', value: { elemType: float, shape: { dim } } } } };
}

function integer(name, value) {
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
}

function feedsOf(shapes, inputs) {
  return Object.entries(shapes).map(([name, shape]) => ({ name, shape, values: inputs[name] }));
}
