// What matmul does to a block of out after its product: activation(alpha · out + bias) + residual, while the block is
// still in the first-level cache. Next: matmul.inl.h.
#pragma once

#include "matmul_plan.inl.h"

// One batch: operands advanced to it.
struct matmul_batch {
  float* out;
  const float* a;
  const float* b;
  const float* residual;
};

static const float* advance(const view& v, i64 first, i64 second) {
  return v.data ? static_cast<const float*>(v.data) + first * v.stride[0] + second * v.stride[1] : nullptr;
}

static matmul_batch batch_of(const call& c, i64 index) {
  using namespace matmul_f32_call;
  i64 first = index / c.dim[d_B], second = index % c.dim[d_B];
  return {const_cast<float*>(advance(c.operand[o_out], first, second)), advance(c.operand[o_a], first, second),
          advance(c.operand[o_b], first, second), advance(c.operand[o_residual], first, second)};
}

static vf activate(vf x, int activation) {
  switch (activation) {
    case activations::relu_: return select(x < vf{}, vf{}, x);
    case activations::gelu_: return vgelu(x);
    default: return x;
  }
}

static void apply_epilogue(const call& c, const matmul_plan& plan, const matmul_batch& batch, i64 m, i64 n, i64 rows,
                           i64 columns) {
  using namespace matmul_f32_call;
  const view& to = c.operand[o_out];
  const view& res = c.operand[o_residual];
  const view& bias = c.operand[o_bias];
  for (i64 r = m; r < m + rows; r++)
    for (i64 j = n; j < n + columns; j += VL) {
      const int count = (int)min_of(VL, n + columns - j);
      float* out = batch.out + r * to.stride[2] + j * to.stride[3];
      vf x = load_strided(out, to.stride[3], count);
      const float* bias_j = static_cast<const float*>(bias.data) + j * bias.stride[0];
      x = bias.data ? fma(splat(plan.alpha), x, load_strided(bias_j, bias.stride[0], count)) : splat(plan.alpha) * x;
      x = activate(x, plan.activation);
      if (batch.residual) x += load_strided(batch.residual + r * res.stride[2] + j * res.stride[3], res.stride[3], count);
      store_strided(out, to.stride[3], x, count);
    }
}
