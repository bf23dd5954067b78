// Generated from native/kernels.def by scripts/generate-kernels.mjs; do not edit.

#pragma once

namespace fill_f32_call {
  enum operand { o_out };
  enum scalar { s_value };
}
namespace copy_f32_call {
  enum operand { o_out, o_a };
}
namespace affine_f32_call {
  enum operand { o_out, o_a };
  enum scalar { s_scale, s_shift };
}
namespace unary_f32_call {
  enum operand { o_out, o_a };
  enum scalar { s_op };
}
namespace unary_backward_f32_call {
  enum operand { o_da, o_a, o_dout };
  enum scalar { s_op };
}
namespace binary_f32_call {
  enum operand { o_out, o_a, o_b };
  enum scalar { s_op };
}
namespace select_f32_call {
  enum operand { o_out, o_condition, o_a, o_b };
}
namespace dropout_f32_call {
  enum operand { o_out, o_a };
  enum dim { d_N };
  enum scalar { s_rate, s_seed, s_stream };
}
namespace reduce_f32_call {
  enum operand { o_out, o_a };
  enum dim { d_M, d_N, d_K };
  enum scalar { s_op };
}
namespace argmax_f32_call {
  enum operand { o_out, o_a };
  enum dim { d_M, d_N, d_K };
}
namespace softmax_f32_call {
  enum operand { o_out, o_a };
  enum dim { d_M, d_N };
  enum scalar { s_log };
}
namespace softmax_backward_f32_call {
  enum operand { o_da, o_out, o_dout };
  enum dim { d_M, d_N };
  enum scalar { s_log };
}
namespace cross_entropy_f32_call {
  enum operand { o_loss, o_lse, o_logits, o_target };
  enum dim { d_M, d_V };
  enum scalar { s_smoothing, s_ignore };
}
namespace cross_entropy_backward_f32_call {
  enum operand { o_dlogits, o_logits, o_lse, o_target, o_dloss };
  enum dim { d_M, d_V };
  enum scalar { s_smoothing, s_ignore };
}
namespace layer_norm_f32_call {
  enum operand { o_out, o_mean, o_rstd, o_x, o_gamma, o_beta };
  enum dim { d_M, d_E };
  enum scalar { s_epsilon };
}
namespace layer_norm_backward_f32_call {
  enum operand { o_dx, o_dgamma, o_dbeta, o_dout, o_x, o_mean, o_rstd, o_gamma };
  enum dim { d_M, d_E };
}
namespace rms_norm_f32_call {
  enum operand { o_out, o_rstd, o_x, o_gamma };
  enum dim { d_M, d_E };
  enum scalar { s_epsilon };
}
namespace rms_norm_backward_f32_call {
  enum operand { o_dx, o_dgamma, o_dout, o_x, o_rstd, o_gamma };
  enum dim { d_M, d_E };
}
namespace gather_rows_f32_call {
  enum operand { o_out, o_table, o_index };
  enum dim { d_M, d_E, d_V };
}
namespace scatter_add_rows_f32_call {
  enum operand { o_table, o_rows, o_index };
  enum dim { d_V, d_E, d_M };
}
namespace matmul_f32_call {
  enum operand { o_out, o_a, o_b, o_bias, o_residual };
  enum dim { d_A, d_B, d_M, d_N, d_K };
  enum scalar { s_alpha, s_activation };
}
namespace attention_forward_f32_call {
  enum operand { o_out, o_lse, o_statistics, o_received, o_tiles, o_topWeights, o_topKeys, o_zeroKeys, o_relativeMass, o_q, o_k, o_v, o_mask, o_bias, o_lengths, o_relative, o_sinks, o_set, o_blocks, o_patterns, o_program, o_captured };
  enum dim { d_B, d_H, d_L, d_Dv, d_S, d_P, d_T, d_U, d_D, d_G, d_X, d_Y, d_N, d_R, d_I, d_K };
  enum scalar { s_scale, s_softcap, s_left, s_right, s_offset, s_reach, s_dropoutRate, s_seed, s_stream, s_window };
}
namespace attention_backward_f32_call {
  enum operand { o_dq, o_dk, o_dv, o_dbias, o_drelative, o_dsinks, o_dcaptured, o_dout, o_out, o_lse, o_dlse, o_dstatistics, o_statistics, o_q, o_k, o_v, o_mask, o_bias, o_lengths, o_relative, o_sinks, o_relativeMass, o_drelativeMass, o_set, o_blocks, o_patterns, o_program, o_captured };
  enum dim { d_B, d_H, d_L, d_D, d_G, d_S, d_Dv, d_W, d_U, d_K, d_X, d_Y, d_N, d_R, d_I };
  enum scalar { s_scale, s_softcap, s_left, s_right, s_offset, s_reach, s_dropoutRate, s_seed, s_stream, s_window };
}
namespace attention_weights_f32_call {
  enum operand { o_weights, o_q, o_k, o_lse, o_mask, o_bias, o_lengths, o_relative, o_program, o_captured };
  enum dim { d_B, d_H, d_L, d_S, d_D, d_G, d_U, d_I, d_K };
  enum scalar { s_scale, s_softcap, s_left, s_right, s_offset, s_reach };
}
namespace attention_transposed_f32_call {
  enum operand { o_out, o_r, o_q, o_k, o_lse, o_mask, o_bias, o_lengths, o_relative, o_blocks, o_patterns, o_program, o_captured };
  enum dim { d_B, d_H, d_S, d_C, d_L, d_D, d_G, d_U, d_X, d_Y, d_N, d_R, d_I, d_K };
  enum scalar { s_scale, s_softcap, s_left, s_right, s_offset, s_reach };
}
namespace adamw_f32_call {
  enum operand { o_parameter, o_m, o_v, o_gradient };
  enum dim { d_N };
  enum scalar { s_rate, s_beta1, s_beta2, s_epsilon, s_decay, s_step, s_gradientScale };
}
namespace square_sum_f32_call {
  enum operand { o_out, o_a };
  enum dim { d_N };
}
namespace unaryOps {
  enum code { negate_, exp_, log_, sqrt_, tanh_, sigmoid_, relu_, gelu_, silu_, square_, abs_ };
  constexpr int count = 11;
}
namespace binaryOps {
  enum code { add_, subtract_, multiply_, divide_, maximum_, minimum_ };
  constexpr int count = 6;
}
namespace reduceOps {
  enum code { sum_, mean_, max_, min_ };
  constexpr int count = 4;
}
namespace activations {
  enum code { none, relu_, gelu_ };
  constexpr int count = 3;
}
namespace statistics {
  enum code { keys_, logitMax_, logitMin_, logitMean_, logitVariance_, pMax_, entropyNats_, squareSum_, meanDistance_, windowMass_, futureMass_, setMass_, firstMass_, selfMass_, previousMass_, nextMass_ };
  constexpr int count = 16;
}
namespace scoreOps {
  enum code { score_, constant_, b_, h_, q_, k_, lookup_, add_, subtract_, multiply_, divide_, minimum_, maximum_, negate_, absolute_, exp_, log_, tanh_, sqrt_, floor_, less_, lessEqual_, equal_, select_ };
  constexpr int count = 24;
}
