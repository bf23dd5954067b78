// What the gradients of lse and of the statistics of one row add to ds of attention_backward_f32, before the weight:
//
//   ds_ij = p_ij·(drop(dout·vᵀ) - δ + more_ij)     x_ij = s_ij - lse_i     d…: the gradient of a statistic of row i
//   more_ij = dlse + dmean·(1 + s_ij - mean) - dentropy·(x_ij + entropy + p_sink) + 2·dsquareSum·(p_ij - squareSum)
//             + ddistance·(|d_ij| - distance) + Σ over the masses of dmass·([j is among its keys] - mass)
//
// with d_ij = i + offset - j. Everything that does not depend on j is one number; the masses' own keys, at most four a row, lie in a row of zeros.
// Included by attention_tile_gradient.inl.h.
#pragma once

#include "attention_problem.inl.h"

static bool wants_statistics(const call& c) {
  using namespace attention_backward_f32_call;
  return c.operand[o_dlse].data || c.operand[o_dstatistics].data;
}

struct statistics_gradient {
  float constant, x, square, distance, mean_distance, window, future, set;
  float here;      // d of the tile's first key
  float radius;    // of the window
  const u8* keys;  // the set, from the tile's first key on; or null
  i64 key_stride;
  float* single;   // [tile_pitch]
  i64 key[4];      // places of `single` that are not 0
  int singles;

  inline __attribute__((always_inline)) vf at(i64 j, vf x_j, vf weight, int count) const {
    const vf d = splat(here) - to_float(lanes() + (int)j), apart = absolute(d);
    vf sum = load(single + j) + splat(constant);
    sum = fma(splat(x), x_j, sum);
    sum = fma(splat(square), weight, sum);
    sum = fma(splat(distance), apart - splat(mean_distance), sum);
    sum += select(apart <= splat(radius), splat(window), vf{});
    sum += select(d < vf{}, splat(future), vf{});
    return keys ? sum + select(load_bytes_strided(keys + j * key_stride, key_stride, count) != 0, splat(set), vf{}) : sum;
  }
  void forget() const {
    for (int n = 0; n < singles; n++) single[key[n]] = 0;
  }
};

// Element (b, h, i) of statistic `row`, or 0 where the operand was left out.
KEYHOLE_INLINE float statistic_of(const view& v, int row, i64 b, i64 h, i64 i) {
  if (!v.data) return 0;
  return static_cast<const float*>(v.data)[row * v.stride[0] + b * v.stride[1] + h * v.stride[2] + i * v.stride[3]];
}

// p of the sink of row i; 0 where no key is allowed.
static float sink_weight(const call& c, i64 b, i64 h, i64 i) {
  using namespace attention_backward_f32_call;
  const view &lse = c.operand[o_lse], &sinks = c.operand[o_sinks];
  const float lse_i = head(lse, b, h)[i * lse.stride[2]];
  if (!sinks.data || lse_i == -infinity) return 0;
  return vexp(splat(static_cast<const float*>(sinks.data)[h * sinks.stride[0]] - lse_i))[0];
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
    more.key[more.singles++] = j;
  };
  const float mean = statistic_of(gradients, statistics::logitMean_, b, h, i);
  const view& lse = c.operand[o_lse];
  if (mean != 0)
    more.constant += mean * (1 + (head(lse, b, h)[i * lse.stride[2]] - statistic_of(values, statistics::logitMean_, b, h, i)));
  const float entropy = take(statistics::entropyNats_, 1);
  if (p.sinks) more.constant -= entropy * sink_weight(c, b, h, i);
  more.x = mean - entropy;
  more.square = take(statistics::squareSum_, 2);
  more.distance = statistic_of(gradients, statistics::meanDistance_, b, h, i);
  more.mean_distance = statistic_of(values, statistics::meanDistance_, b, h, i);  // not in the constant: it may be large
  more.window = take(statistics::windowMass_, 1), more.radius = (float)c.scalar[s_window];
  more.future = take(statistics::futureMass_, 1);
  more.set = take(statistics::setMass_, 1);
  if (const view* set = given(c, o_set)) {
    more.keys = static_cast<const u8*>(set->data) + b * set->stride[0] + row.j0 * set->stride[1];
    more.key_stride = set->stride[1];
  }
  take_mass(statistics::firstMass_, 0);
  take_mass(statistics::selfMass_, here);
  take_mass(statistics::previousMass_, here - 1);
  take_mass(statistics::nextMass_, here + 1);
  return more;
}
