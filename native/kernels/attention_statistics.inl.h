// The record inside attention_forward_f32: what it adds per tile, and the formulas at the end (the online accumulators
// of the attention record: every sum is kept relative to the running maximum and moved when that grows).
//
// With δ = m_old - m_new and a = e^δ:
//   T = a·(T + δ·l) + Σ w·x     T2 = a²·T2 + Σ w²     Dist = a·Dist + Σ w·|i + offset - j|
// Masses on single keys need only the score of that key, so they cost nothing in the loop.
#pragma once

#include "attention_block.inl.h"

template <bool Record>
struct recorded {
  void begin(const attention_problem&, row_sums&, const score_row&, i64, float, float, float) {}
  void add(const score_row&, i64, vf, vf) {}
  void end(row_sums&) {}
};

KEYHOLE_INLINE void watch_key(row_sums& sums, int slot, const score_row& row, i64 key) {
  const i64 j = key - row.j0;
  if (j >= row.begin && j < row.end) sums.watched[slot] = row.s[j];
}

template <>
struct recorded<true> {
  vf t, t2, dist, diagonal;

  inline __attribute__((always_inline)) void begin(const attention_problem& p, row_sums& sums, const score_row& row,
                                                   i64 i, float a, float m_old, float m) {
    const i64 here = i + p.offset;
    watch_key(sums, 0, row, 0);
    watch_key(sums, 1, row, here);
    watch_key(sums, 2, row, here - 1);
    watch_key(sums, 3, row, here + 1);
    const vf factor = splat(a), delta = splat(m_old == -infinity ? 0.0f : m_old - m);
    t = factor * fma(delta, load(sums.l), load(sums.t));
    t2 = factor * factor * load(sums.t2);
    dist = factor * load(sums.dist);
    diagonal = splat((float)(here - row.j0));
  }
  inline __attribute__((always_inline)) void add(const score_row&, i64 j, vf x, vf w) {
    t = fma(w, max(splat(-200.0f), x), t);  // a forbidden key has x = -inf and w = 0
    t2 = fma(w, w, t2);
    dist = fma(w, absolute(diagonal - to_float(lanes() + (int)j)), dist);
  }
  inline __attribute__((always_inline)) void end(row_sums& sums) {
    store(sums.t, t), store(sums.t2, t2), store(sums.dist, dist);
  }
};

// Row r of the block: entropy is ln l - T/l, which does not cancel when the scores are large.
static void write_statistics(const call& c, const forward_state& f, i64 r, float l, float log_l) {
  const view& to = c.operand[attention_forward_f32_call::o_statistics];
  const row_sums& sums = f.sums[r];
  const bool empty = f.keys[r] == 0;
  const float lse = f.m[r] + log_l, rest = empty ? 0.0f : 1.0f / l;
  float value[statistics::count]{};
  if (!empty) {
    value[statistics::keys_] = f.keys[r];
    value[statistics::logitMax_] = f.m[r];
    value[statistics::pMax_] = rest;
    value[statistics::entropyNats_] = log_l - sum(load(sums.t)) * rest;
    value[statistics::squareSum_] = sum(load(sums.t2)) * rest * rest;
    value[statistics::meanDistance_] = sum(load(sums.dist)) * rest;
    float mass[VL]{};
    for (int slot = 0; slot < 4; slot++) mass[slot] = sums.watched[slot] - lse;
    store(mass, vexp(load(mass)));
    value[statistics::firstMass_] = mass[0];
    value[statistics::selfMass_] = mass[1];
    value[statistics::previousMass_] = mass[2];
    value[statistics::nextMass_] = mass[3];
  }
  float* target = static_cast<float*>(to.data) + f.b * to.stride[1] + f.h * to.stride[2] + (f.i0 + r) * to.stride[3];
  for (int statistic = 0; statistic < statistics::count; statistic++) target[statistic * to.stride[0]] = value[statistic];
}
