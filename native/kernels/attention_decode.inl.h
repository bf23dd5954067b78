// One query against many keys, as in decoding: bound by memory, so keys and values are read once, in place, in order, and
// nothing is packed. The keys are cut in runs of decode_keys, each with sums of its own, so that a single sequence fills
// all cores; the runs are merged in ascending order, whatever the threads (N11).
#pragma once

#include "attention_sinks.inl.h"

constexpr i64 decode_keys = 4 * forward_keys;
constexpr int decode_vectors = 8;  // of a key that stay in registers while the heads of its group use them

constexpr i64 decode_step = 32;  // keys

// sums[r][key lane]: products of row r and one key, not yet added up across lanes.
struct decode_sums {
  vf of[tile_rows][VL];
};

// Adds the products of part d … of a key with all rows.
static void add_products(decode_sums& sums, int lane, const float* q_rows, const float* key, i64 d, i64 width, int rows) {
  vf k[decode_vectors];
#pragma GCC unroll 8
  for (int v = 0; v < decode_vectors; v++) {
    const i64 left = width - v * VL;
    k[v] = left >= VL ? load(key + v * VL) : left > 0 ? load_partial(key + v * VL, (int)left) : vf{};
  }
  for (int r = 0; r < rows; r++) {
    const float* q = q_rows + r * tile_pitch;
    vf even = d == 0 ? vf{} : sums.of[r][lane], odd{};
#pragma GCC unroll 8
    for (int v = 0; v < decode_vectors; v += 2) {
      if (v * VL >= width) break;
      even = fma(k[v], load(q + v * VL), even);
      odd = (v + 1) * VL < width ? fma(k[v + 1], load(q + (v + 1) * VL), odd) : odd;
    }
    sums.of[r][lane] = even + odd;
  }
}

// tile[r][j] = q_r·k_j for keys begin <= j < end, read where they lie; asks for the values of the same keys on the way.
static void score_keys(const forward_state& f, const forward_tile& t, i64 r0, int rows, i64 begin, i64 end) {
  const attention_problem& p = *f.p;
  const i64 k_stride = p.k->stride[2], v_stride = p.v->stride[2];
  const float* k = head(*p.k, f.b, f.g) + t.j0 * k_stride;
  const float* v = f.v + t.j0 * v_stride;
  decode_sums sums;
  for (i64 j = begin; j < end; j += VL) {
    const int count = (int)min_of(VL, end - j);
    for (int lane = 0; lane < VL; lane++) {
      if (lane >= count) {
        for (int r = 0; r < rows; r++) sums.of[r][lane] = vf{};
        continue;
      }
      for (i64 d = 0; d < p.Dv; d += cache_line) __builtin_prefetch(v + (j + lane) * v_stride + d, 0, 2);
      for (i64 d = 0; d < p.D; d += decode_vectors * VL)
        add_products(sums, lane, f.q_rows + d / width_block * f.capacity * tile_pitch + r0 * tile_pitch + d % width_block,
                     k + (j + lane) * k_stride + d, d, p.D - d, rows);
    }
    for (int r = 0; r < rows; r++) {
      transpose(sums.of[r]);
      vf total = sums.of[r][0];
      for (int lane = 1; lane < VL; lane++) total += sums.of[r][lane];
      store(f.tile + r * forward_pitch + j, total);
    }
  }
}

// out = a·out + P·V a few keys at a time, asking for keys of the next tile in between, so that memory never rests.
static void apply_values(const forward_state& f, const forward_tile& t, i64 r0, int rows, i64 begin, i64 end, float* a) {
  const attention_problem& p = *f.p;
  for (i64 j = begin, count; j < end; j += count) {
    const i64 next = t.j0 + forward_keys + j;
    count = min_of(decode_step - j % decode_step, end - j);  // cut at the same keys whatever is skipped
    if (r0 == 0) prefetch_rows(*p.k, f.b, f.g, min_of(p.S, next), min_of(p.S, next + decode_step));
    for (i64 d = 0; d < f.v_width; d += tile_columns)
      multiply<forward_pitch, 1, tile_rescale>(rows, min_of(tile_columns, f.v_width - d), f.out + r0 * f.v_width + d,
                                               f.v_width, f.tile + j, f.values + j * f.value_step + d, f.value_step,
                                               count, a);
    for (int r = 0; r < rows; r++) a[r] = 1;
  }
}

// The sums of `next`, whose keys come later, join those of `f`, row by row.
static void merge_sums(forward_state& f, const forward_state& next) {
  for (i64 r = 0; r < f.rows; r++) {
    const float m = max(splat(next.m[r]), splat(f.m[r]))[0];
    float a[2];
    const forward_state* sides[2] = {&f, &next};
    for (int side = 0; side < 2; side++) {
      const float old = sides[side]->m[r], shift = old == m ? 0.0f : (old - m) * f.unit;
      a[side] = old == m ? 1.0f : power_of_two(splat(shift))[0];
      if (f.record) move_record(sides[side]->record[r], sides[side]->l + r * VL, shift, a[side]);
    }
    for (i64 d = 0; d < f.v_width; d += VL) {
      float* out = f.out + r * f.v_width + d;
      store(out, fma(splat(a[1]), load(next.out + r * f.v_width + d), splat(a[0]) * load(out)));
    }
    merge_mass(f, next, r, a);
    float* l = f.l + r * VL;
    store(l, fma(splat(a[1]), load(next.l + r * VL), splat(a[0]) * load(l)));
    f.m[r] = m;
    f.keys[r] += next.keys[r];
    if (f.record) merge_record(f.record[r], next.record[r]);
  }
}
