// What the gradients of lse and of the statistics of one row add to ds of attention_backward_f32, before the weight:
//
//   ds_ij = p_ij·(drop(dout·vᵀ) - δ + more_ij)     x_ij = s_ij - lse_i     d…: the gradient of a statistic of row i
//   more_ij = dlse - dentropy·(x_ij + entropy) + 2·dsquareSum·(p_ij - squareSum)
//             + ddistance·(|i + offset - j| - distance) + Σ over the masses of dmass·([j is its key] - mass)
//
// Everything that does not depend on j is one number; the masses' own keys, at most four a row, lie in a row of zeros.
// Included by attention_tile_gradient.inl.h.
#pragma once

#include "attention_problem.inl.h"

static bool wants_statistics(const call& c) {
  using namespace attention_backward_f32_call;
  return c.operand[o_dlse].data || c.operand[o_dstatistics].data;
}

struct statistics_gradient {
  float constant, entropy, square, distance;
  float here;     // i + offset, counted from the tile's first key
  float* single;  // [tile_pitch]
  i64 key[4];     // places of `single` that are not 0
  int keys;

  inline __attribute__((always_inline)) vf at(i64 j, vf x, vf weight) const {
    vf sum = load(single + j) + splat(constant);
    sum = fma(splat(entropy), x, sum);
    sum = fma(splat(square), weight, sum);
    return fma(splat(distance), absolute(splat(here) - to_float(lanes() + (int)j)), sum);
  }
  void forget() const {
    for (int n = 0; n < keys; n++) single[key[n]] = 0;
  }
};

// Element (b, h, i) of statistic `row`, or 0 where the operand was left out.
KEYHOLE_INLINE float statistic_of(const view& v, int row, i64 b, i64 h, i64 i) {
  if (!v.data) return 0;
  return static_cast<const float*>(v.data)[row * v.stride[0] + b * v.stride[1] + h * v.stride[2] + i * v.stride[3]];
}

static statistics_gradient statistics_gradient_of(const call& c, const attention_problem& p, i64 b, i64 h, i64 i,
                                                  const score_row& row, float* single) {
  using namespace attention_backward_f32_call;
  const view &dlse = c.operand[o_dlse], &gradients = c.operand[o_dstatistics], &values = c.operand[o_statistics];
  const i64 here = i + p.offset;
  statistics_gradient more{};
  more.single = single, more.here = (float)(here - row.j0);
  if (dlse.data) more.constant = head(dlse, b, h)[i * dlse.stride[2]];
  if (!gradients.data) return more;
  const auto take = [&](int statistic, float share) {
    const float gradient = statistic_of(gradients, statistic, b, h, i);
    more.constant -= share * gradient * statistic_of(values, statistic, b, h, i);
    return share * gradient;
  };
  const auto take_mass = [&](int statistic, i64 key) {
    const float gradient = take(statistic, 1);
    const i64 j = key - row.j0;
    if (gradient == 0 || j < row.begin || j >= row.end) return;
    single[j] += gradient;
    more.key[more.keys++] = j;
  };
  more.entropy = -take(statistics::entropyNats_, 1);
  more.square = take(statistics::squareSum_, 2);
  more.distance = take(statistics::meanDistance_, 1);
  take_mass(statistics::firstMass_, 0);
  take_mass(statistics::selfMass_, here);
  take_mass(statistics::previousMass_, here - 1);
  take_mass(statistics::nextMass_, here + 1);
  return more;
}
