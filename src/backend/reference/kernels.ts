/**
 * The table of the reference kernels: one entry for each line of native/kernels.def.
 */

import type { KernelName } from '../contract.js';
import { attentionBackward } from './attentionBackward.js';
import { attentionForward } from './attentionForward.js';
import { attentionTransposed } from './attentionTransposed.js';
import { attentionWeights } from './attentionWeights.js';
import { crossEntropy, crossEntropyBackward } from './crossEntropy.js';
import { affine, binary, copy, dropout, fill, select, unary, unaryBackward } from './elementwise.js';
import type { ReferenceKernel } from './kernel.js';
import { matmul } from './matmul.js';
import { layerNorm, layerNormBackward, rmsNorm, rmsNormBackward } from './norm.js';
import { adamw } from './optimiser.js';
import { argmax, reduce, squareSum } from './reduce.js';
import { gatherRows, scatterAddRows } from './rows.js';
import { softmax, softmaxBackward } from './softmax.js';

export const referenceKernels: { readonly [K in KernelName]: ReferenceKernel<K> } = {
  fill_f32: fill,
  copy_f32: copy,
  affine_f32: affine,
  unary_f32: unary,
  unary_backward_f32: unaryBackward,
  binary_f32: binary,
  select_f32: select,
  dropout_f32: dropout,
  reduce_f32: reduce,
  argmax_f32: argmax,
  softmax_f32: softmax,
  softmax_backward_f32: softmaxBackward,
  cross_entropy_f32: crossEntropy,
  cross_entropy_backward_f32: crossEntropyBackward,
  layer_norm_f32: layerNorm,
  layer_norm_backward_f32: layerNormBackward,
  rms_norm_f32: rmsNorm,
  rms_norm_backward_f32: rmsNormBackward,
  gather_rows_f32: gatherRows,
  scatter_add_rows_f32: scatterAddRows,
  matmul_f32: matmul,
  attention_forward_f32: attentionForward,
  attention_backward_f32: attentionBackward,
  attention_weights_f32: attentionWeights,
  attention_transposed_f32: attentionTransposed,
  adamw_f32: adamw,
  square_sum_f32: squareSum,
};
