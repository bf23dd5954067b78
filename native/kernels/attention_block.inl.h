// The working memory of attention_forward_f32: one block of query rows, with the sums that its rows carry from tile to
// tile. Next: attention_softmax.inl.h.
//
// A block is a run of `queries` queries times the query heads that share one key head, head after head: row r is query
// i0 + r % queries of head h0 + r / queries. So grouped heads share the packed keys.
#pragma once

#include "attention_problem.inl.h"

constexpr i64 cache_line = 16;  // floats
constexpr i64 forward_keys = 256;  // of a tile
constexpr i64 forward_pitch = forward_keys + 16;  // rows of a tile must not share cache sets
constexpr i64 query_block = 32 * 12;  // rows of a block, a multiple of tile_rows on every target

// What the record adds up for one row, kept in lanes so that nothing is summed across them before the end. With w = 2^x, x
// the score in binary orders of magnitude, relative to the row's maximum, and d = i + offset - j:
struct record_sums {
  float t[VL];         // Σ w·x
  float tx[VL];        // Σ w·x²
  float square[VL];    // Σ w²
  float distance[VL];  // Σ w·|d|
  float window[VL];    // Σ w where |d| <= window
  float future[VL];    // Σ w where d < 0
  float set[VL];       // Σ w over the chosen keys
  float lowest[VL];    // smallest stored score
  float watched[4];    // stored scores of keys 0, i + offset, i + offset - 1, i + offset + 1
};

struct strip;

struct forward_state {
  const attention_problem* p;
  i64 b, g, h0, i0, queries;
  i64 rows;          // of this block
  i64 capacity;      // of the scratch
  bool natural;      // scores are stored in natural units; otherwise as q·k
  float unit;        // binary orders of magnitude in a stored score of 1
  const float* v;    // of this key head, unpacked
  float* q_rows;     // packed [pieces][capacity][tile_pitch]
  float* k_panels;   // packed [panels][D][tile_columns]
  float* v_packed;   // packed [forward_keys][v_width]
  float* tile;       // [tile_rows][forward_pitch]
  float* out;        // [rows][v_width]
  float* m;          // [rows] largest stored score
  float* keys;       // [rows] number of allowed keys
  float* l;          // [rows][VL] Σ w
  record_sums* record;  // [rows], or null
  i64 window;        // radius of the record's window
  const strip* kept;  // where the weights are kept, or null
  const view* set;   // keys chosen for the record [B, S], or null
  i64 v_width;
  const float* values;  // v_packed, or v itself where its rows can be read in place
  i64 value_step;
  bool careful;      // this tile's v is not finite
};

struct forward_tile {
  i64 j0, keys;
};

KEYHOLE_INLINE i64 head_of(const forward_state& f, i64 r) { return f.h0 + r / f.queries; }
KEYHOLE_INLINE i64 query_of(const forward_state& f, i64 r) { return f.i0 + r % f.queries; }

static i64 forward_scratch_floats(const attention_problem& p, i64 rows, bool record) {
  const i64 v_width = round_up(p.Dv, VL), sums = record ? rows * (i64)(sizeof(record_sums) / 4) : 0;
  return packed_rows_floats(rows, p.D) + forward_keys * p.D + forward_keys * v_width + tile_rows * forward_pitch +
         rows * (v_width + VL) + 2 * round_up(rows, VL) + sums + 64;
}

static void carve(forward_state& f, float* scratch, bool record) {
  const attention_problem& p = *f.p;
  f.q_rows = scratch;
  f.k_panels = f.q_rows + packed_rows_floats(f.capacity, p.D);
  f.v_packed = f.k_panels + forward_keys * p.D;
  f.tile = f.v_packed + forward_keys * f.v_width;
  f.out = f.tile + tile_rows * forward_pitch;
  f.l = f.out + f.capacity * f.v_width;
  f.m = f.l + f.capacity * VL;
  f.keys = f.m + round_up(f.capacity, VL);
  f.record = record ? reinterpret_cast<record_sums*>(f.keys + round_up(f.capacity, VL)) : nullptr;
}

static void clear_rows(forward_state& f) {
  for (i64 x = 0; x < f.rows * f.v_width; x += VL) store(f.out + x, vf{});
  for (i64 x = 0; x < f.rows * VL; x += VL) store(f.l + x, vf{});
  for (i64 r = 0; r < f.rows; r += VL) store(f.m + r, splat(-infinity)), store(f.keys + r, vf{});
  for (i64 r = 0; r < f.rows && f.record; r++) {
    record_sums& sums = f.record[r];
    for (float* sum = sums.t; sum < sums.lowest; sum += VL) store(sum, vf{});
    store(sums.lowest, splat(infinity));
    for (float& score : sums.watched) score = -infinity;
  }
}

// The block's queries, with the sign of the scale, so that a larger stored score is a larger logit.
static void pack_queries(forward_state& f) {
  const attention_problem& p = *f.p;
  const view& q = *p.q;
  for (i64 r = 0; r < f.rows; r += f.queries)
    pack_rows(f.q_rows + r * tile_pitch, f.capacity, head(q, f.b, head_of(f, r)) + f.i0 * q.stride[2], q.stride[2],
              q.stride[3], f.queries, p.D);
  if (p.scale >= 0) return;
  for (i64 x = 0; x < packed_rows_floats(f.capacity, p.D); x += VL) store(f.q_rows + x, -load(f.q_rows + x));
}

static void pack_values(forward_state& f, const forward_tile& t, bool partly) {
  const attention_problem& p = *f.p;
  const i64 key_stride = p.v->stride[2], width_stride = p.v->stride[3];
  const float* v = f.v + t.j0 * key_stride;
  f.careful = partly && not_finite(v, key_stride, width_stride, t.keys, p.Dv);
  f.values = v;
  f.value_step = key_stride;
  if (width_stride == 1 && p.Dv == f.v_width && f.rows <= 2 * tile_rows) return;
  pack(f.v_packed, f.v_width, v, key_stride, width_stride, t.keys, p.Dv);
  f.values = f.v_packed;
  f.value_step = f.v_width;
}

// Asks for a share of the next tile's keys and values while this tile is computed: part `index` of `parts`.
static void prefetch_tile(const forward_state& f, i64 j0, i64 keys, i64 index, i64 parts) {
  const attention_problem& p = *f.p;
  const view* wanted[2] = {p.k, p.v};
  for (const view* x : wanted) {
    const float* row = head(*x, f.b, f.g) + (j0 + keys * index / parts) * x->stride[2];
    for (i64 j = keys * index / parts; j < keys * (index + 1) / parts; j++, row += x->stride[2])
      for (i64 d = 0; d < x->size[3] && x->stride[3] == 1; d += cache_line) __builtin_prefetch(row + d, 0, 2);
  }
}
