// What scores by distance, weights by distance and sinks mean for attention_backward_f32. Included by
// attention_tile_gradient.inl.h.
//
//   dp_ij += drop(dmass_i,r(ij))        δ_i += Σ_r dmass_ir·mass_ir
//   drelative_ir = Σ ds_ij over the keys of column r       dsinks_h = Σ_bi p_sink·(dlse + its part of the statistics - δ)
//
// Where all rows share one table, rows add up in at most 8 parts of L, each in one task; the parts follow in order. So the
// sums have the same bits for any number of threads (N11) and take O(R) memory a head, not O(L·R).
#pragma once

#include "attention_statistics_gradient.inl.h"

// Where drelative is summed.
struct relative_sums {
  const view* to;    // drelative [B,H,1 or L,R], or null
  float* parts;      // [B·H][parts of L][R] when rows share a table, else null
  i64 rows;          // of a part
};

struct column_row {
  float* sums;
  i64 stride;
};

static i64 parts_of(const attention_problem& p, i64 rows) { return (p.L + rows - 1) / rows; }

static i64 relative_sums_floats(const attention_problem& p, const view* to, i64 rows) {
  return to && to->size[2] == 1 ? p.B * p.H * parts_of(p, rows) * to->size[3] : 0;
}

static column_row columns_of(const attention_problem& p, const relative_sums& s, i64 b, i64 h, i64 i) {
  if (!s.parts) return {head(*s.to, b, h) + i * s.to->stride[2], s.to->stride[3]};
  return {s.parts + ((b * p.H + h) * parts_of(p, s.rows) + i / s.rows) * s.to->size[3], 1};
}

// The sums of rows [i0, i1) of heads [h0, h1) become 0.
static void clear_columns(const attention_problem& p, const relative_sums& s, i64 b, i64 h0, i64 h1, i64 i0, i64 i1) {
  if (!s.to) return;
  for (i64 h = h0; h < h1; h++)
    for (i64 i = i0; i < i1; i += s.parts ? s.rows : 1) {
      const column_row row = columns_of(p, s, b, h, i);
      for (i64 r = 0; r < s.to->size[3]; r++) row.sums[r * row.stride] = 0;
    }
}

// drelative[b,h,0] = the sum of its parts.
static void add_parts(const attention_problem& p, const relative_sums& s, i64 bh) {
  const i64 R = s.to->size[3], parts = parts_of(p, s.rows);
  float* to = head(*s.to, bh / p.H, bh % p.H);
  for (i64 r = 0; r < R; r++) {
    float total = 0;
    for (i64 part = 0; part < parts; part++) total += s.parts[(bh * parts + part) * R + r];
    to[r * s.to->stride[3]] = total;
  }
}

// A gradient without what it belongs to, or with rows that fit neither one table nor one a row.
static bool bad_distances(const call& c) {
  using namespace attention_backward_f32_call;
  const auto lone = [&](int gradient, int of) { return c.operand[gradient].data && !c.operand[of].data; };
  const view* to = given(c, o_drelative);
  return lone(o_drelative, o_relative) || lone(o_dsinks, o_sinks) || lone(o_drelativeMass, o_relativeMass) ||
         (to && to->size[2] != 1 && to->size[2] != c.dim[d_L]);
}

// Σ_r dmass·mass of rows i … i+count-1, one a lane.
static vf mass_products(const call& c, i64 b, i64 h, i64 i, int count) {
  using namespace attention_backward_f32_call;
  const view &mass = c.operand[o_relativeMass], &gradient = c.operand[o_drelativeMass];
  const float* a = head(mass, b, h) + i * mass.stride[2];
  const float* x = head(gradient, b, h) + i * gradient.stride[2];
  vf total{};
  for (i64 r = 0; r < mass.size[3]; r++)
    total = fma(load_strided(x + r * gradient.stride[3], gradient.stride[2], count),
                load_strided(a + r * mass.stride[3], mass.stride[2], count), total);
  return total;
}

// The gradient of the sink's logit from the gradients of lse and of the statistics of one row, divided by its weight w.
static float sink_statistics(const call& c, i64 b, i64 h, i64 i, float w) {
  using namespace attention_backward_f32_call;
  const view &dlse = c.operand[o_dlse], &gradients = c.operand[o_dstatistics], &values = c.operand[o_statistics];
  float total = dlse.data ? head(dlse, b, h)[i * dlse.stride[2]] : 0.0f;
  if (!gradients.data) return total;
  total += (1 - w) * statistic_of(gradients, statistics::entropyNats_, b, h, i);
  const int sums[] = {statistics::logitMean_,  statistics::entropyNats_, statistics::squareSum_,  statistics::squareSum_,
                      statistics::meanDistance_, statistics::windowMass_, statistics::futureMass_, statistics::setMass_,
                      statistics::firstMass_,  statistics::selfMass_,    statistics::previousMass_, statistics::nextMass_};
  for (int n : sums) total -= statistic_of(gradients, n, b, h, i) * statistic_of(values, n, b, h, i);
  return total;
}

// dsinks of one head; `state` holds δ [B·H·L].
static void sinks_task(const call& c, i64 h, int, void* state) {
  using namespace attention_backward_f32_call;
  const float* deltas = static_cast<const float*>(state);
  const view &lse = c.operand[o_lse], &to = c.operand[o_dsinks];
  const i64 B = lse.size[0], H = lse.size[1], L = lse.size[2];
  double total = 0;
  for (i64 b = 0; b < B; b++)
    for (i64 i = 0; i < L; i++) {
      if (head(lse, b, h)[i * lse.stride[2]] == -infinity) continue;
      const float w = sink_weight(c, b, h, i);
      total += w * (sink_statistics(c, b, h, i, w) - deltas[(b * H + h) * L + i]);
    }
  static_cast<float*>(to.data)[h * to.stride[0]] = (float)total;
}
