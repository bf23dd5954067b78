// The working memory of attention_forward_f32: one block of query rows of one head, with the sums that its rows carry
// from tile to tile. Next: attention_statistics.inl.h, then attention_forward.inl.h.
#pragma once

#include "attention_problem.inl.h"

constexpr i64 query_block = 16 * 12;  // a multiple of tile_rows on every target

// Running sums of one row, kept in lanes so that nothing is summed across them before the end.
struct row_sums {
  float l[VL];     // Σ w
  float t[VL];     // Σ w·x
  float t2[VL];    // Σ w²
  float dist[VL];  // Σ w·|i + offset - j|
  float watched[4];  // scores of keys 0, i + offset, i + offset - 1, i + offset + 1
};

struct forward_state {
  const attention_problem* p;
  i64 b, h, i0, i1;
  const float* v;    // of this head, unpacked
  bool record;
  float* q_rows;     // packed [pieces][rows][tile_pitch]
  float* k_panels;   // packed [panels][D][tile_columns]
  float* v_packed;   // packed [key_block][v_width]
  float* tile;       // [tile_rows][tile_pitch]
  float* out;        // [rows][v_width]
  float* m;          // [rows]
  float* keys;       // [rows] number of allowed keys
  row_sums* sums;    // [rows]
  i64 rows, v_width;
  const float* values;  // v_packed, or v itself where its rows can be read in place
  i64 value_step;
  bool careful;      // this tile's v is not finite
};

struct forward_tile {
  i64 j0, keys;
};

static i64 forward_scratch_floats(const attention_problem& p, i64 rows) {
  const i64 v_width = round_up(p.Dv, VL);
  return packed_rows_floats(rows, p.D) + key_block * p.D + key_block * v_width + tile_rows * tile_pitch +
         rows * v_width + 2 * round_up(rows, VL) + rows * (i64)(sizeof(row_sums) / 4) + 64;
}

static void carve(forward_state& f, float* scratch) {
  const attention_problem& p = *f.p;
  f.q_rows = scratch;
  f.k_panels = f.q_rows + packed_rows_floats(f.rows, p.D);
  f.v_packed = f.k_panels + key_block * p.D;
  f.tile = f.v_packed + key_block * f.v_width;
  f.out = f.tile + tile_rows * tile_pitch;
  f.m = f.out + f.rows * f.v_width;
  f.keys = f.m + round_up(f.rows, VL);
  f.sums = reinterpret_cast<row_sums*>(f.keys + round_up(f.rows, VL));
}

static void clear_rows(forward_state& f) {
  const i64 count = f.i1 - f.i0;
  for (i64 x = 0; x < count * f.v_width; x += VL) store(f.out + x, vf{});
  for (i64 r = 0; r < count; r += VL) store(f.m + r, splat(-infinity)), store(f.keys + r, vf{});
  for (i64 r = 0; r < count; r++) {
    store(f.sums[r].l, vf{}), store(f.sums[r].t, vf{}), store(f.sums[r].t2, vf{}), store(f.sums[r].dist, vf{});
    for (float& score : f.sums[r].watched) score = -infinity;
  }
}

static void pack_values(forward_state& f, const forward_tile& t, bool partly) {
  const attention_problem& p = *f.p;
  const i64 key_stride = p.v->stride[2], width_stride = p.v->stride[3];
  const float* v = f.v + t.j0 * key_stride;
  f.careful = partly && not_finite(v, key_stride, width_stride, t.keys, p.Dv);
  f.values = v;
  f.value_step = key_stride;
  if (width_stride == 1 && p.Dv == f.v_width && f.i1 - f.i0 <= 2 * tile_rows) return;
  pack(f.v_packed, f.v_width, v, key_stride, width_stride, t.keys, p.Dv);
  f.values = f.v_packed;
  f.value_step = f.v_width;
}
