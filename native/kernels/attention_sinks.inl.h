// What a row of attention_forward_f32 gets beside its sums over keys: its weight by distance, and the sink's share of the
// softmax. Sources: Shaw et al. 2018, eq. 3, for the first; Xiao et al. 2023, §3.3, for the second, a logit without a value.
// Included by attention_forward.inl.h.
#pragma once

#include "attention_statistics.inl.h"

// mass = a·mass + the tile's weights by column, once the row's scores are weights.
static void add_mass(forward_state& f, const tile_row& row, float a) {
  const attention_problem& p = *f.p;
  float* mass = f.mass + row.r * f.mass_pitch;
  for (i64 r = 0; a != 1.0f && r < f.mass_pitch; r += VL) store(mass + r, splat(a) * load(mass + r));
  add_by_column(mass, 1, p.mass->size[3], row.j0 - row.i - p.offset + p.reach, row.s, row.begin, row.end);
}

// Rows of `f` and of `next`, whose keys come later, each times its factor.
static void merge_mass(forward_state& f, const forward_state& next, i64 r, const float (&a)[2]) {
  for (i64 x = r * f.mass_pitch; x < (r + 1) * f.mass_pitch; x += VL)
    store(f.mass + x, fma(splat(a[1]), load(next.mass + x), splat(a[0]) * load(f.mass + x)));
}

static void write_mass(const forward_state& f, i64 r, i64 h, i64 i, vf factor) {
  const view& to = *f.p->mass;
  float* mass = head(to, f.b, h) + i * to.stride[2];
  for (i64 x = 0; x < to.size[3]; x += VL)
    store_strided(mass + x * to.stride[3], to.stride[3], load(f.mass + r * f.mass_pitch + x) * factor,
                  (int)min_of(VL, to.size[3] - x));
}

KEYHOLE_INLINE float sink_of(const attention_problem& p, i64 h) {
  return p.sinks ? static_cast<const float*>(p.sinks->data)[h * p.sinks->stride[0]] : -infinity;
}

// The sink joins l of row r; returns the keys' share of all weight. `scale` turns stored scores into logits. Beyond e^80 the
// keys' weights are below 1e-34 and nothing but lse, which is at least the sink, can tell.
static float add_sink(forward_state& f, i64 r, double scale) {
  if (f.keys[r] == 0) return 1.0f;
  const double above = (double)sink_of(*f.p, head_of(f, r)) - scale * f.m[r];
  float* l = f.l + r * VL;
  const float own = sum(load(l));
  l[0] += vexp(splat((float)(above < 80 ? above : 80)))[0];
  return own / sum(load(l));
}
