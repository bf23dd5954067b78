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
  float watched[VL];   // stored scores of keys 0, i + offset, i + offset - 1, i + offset + 1; whole vectors stay aligned
};

struct strip;

// What is needed next: a tile of keys, and the queries of another block when that follows.
struct upcoming {
  i64 b, g;
  i64 j0, keys;
  i64 i0, queries;
};

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
  float* product;    // [tile_rows][tile_columns]: P·V of several runs of keys
  float* slots;      // of a score program for one row
  float* out;        // [rows][v_width]
  float* m;          // [rows] largest stored score
  float* keys;       // [rows] number of allowed keys
  float* l;          // [rows][VL] Σ w
  float* mass;       // [rows][mass_pitch]: dropped w by distance
  i64 mass_pitch;    // 0 when none is wanted
  record_sums* record;  // [rows], or null
  i64 window;        // radius of the record's window
  const strip* kept;  // where the weights are kept, or null
  const view* set;   // keys chosen for the record [B, S], or null
  upcoming after;    // the next block of this worker, likely
  i64 v_width;
  const float* values;  // v_packed, or v itself where its rows can be read in place
  i64 value_step;
  bool careful;      // this tile's v is not finite
  bool direct;       // keys are read where they lie, not packed
};

// Keys [j0 + from, j0 + keys).
struct forward_tile {
  i64 j0, keys, from;
};

KEYHOLE_INLINE i64 head_of(const forward_state& f, i64 r) { return f.h0 + r / f.queries; }
KEYHOLE_INLINE i64 query_of(const forward_state& f, i64 r) { return f.i0 + r % f.queries; }

// Floats of a row of weights by distance.
static i64 mass_pitch(const attention_problem& p) { return p.mass ? round_up(p.mass->size[3], VL) : 0; }

// What outlives a tile: the rows' sums.
static i64 sums_floats(const attention_problem& p, i64 rows, bool record) {
  const i64 record_floats = record ? rows * (i64)(sizeof(record_sums) / 4) : 0;
  return round_up(rows * (round_up(p.Dv, VL) + VL + mass_pitch(p)) + 2 * round_up(rows, VL) + record_floats, VL);
}

// What serves one tile.
static i64 tile_floats(const attention_problem& p, i64 rows) {
  const i64 v_width = round_up(p.Dv, VL);
  return round_up(packed_rows_floats(rows, p.D) + forward_keys * (p.D + v_width) +
                      tile_rows * (forward_pitch + tile_columns) + program_floats(p.program, forward_pitch),
                  VL);
}

static void carve_sums(forward_state& f, float* sums, bool record) {
  f.out = sums;
  f.l = f.out + f.capacity * f.v_width;
  f.mass = f.l + f.capacity * VL;
  f.mass_pitch = mass_pitch(*f.p);
  f.m = f.mass + f.capacity * f.mass_pitch;
  f.keys = f.m + round_up(f.capacity, VL);
  f.record = record ? reinterpret_cast<record_sums*>(f.keys + round_up(f.capacity, VL)) : nullptr;
}

static void carve_tile(forward_state& f, float* scratch) {
  f.q_rows = scratch;
  f.k_panels = f.q_rows + packed_rows_floats(f.capacity, f.p->D);
  f.v_packed = f.k_panels + forward_keys * f.p->D;
  f.tile = f.v_packed + forward_keys * f.v_width;
  f.product = f.tile + tile_rows * forward_pitch;
  f.slots = f.product + tile_rows * tile_columns;
}

static void clear_rows(forward_state& f) {
  for (i64 x = 0; x < f.rows * f.v_width; x += VL) store(f.out + x, vf{});
  for (i64 x = 0; x < f.rows * VL; x += VL) store(f.l + x, vf{});
  for (i64 x = 0; x < f.rows * f.mass_pitch; x += VL) store(f.mass + x, vf{});
  for (i64 r = 0; r < f.rows; r += VL) store(f.m + r, splat(-infinity)), store(f.keys + r, vf{});
  for (i64 r = 0; r < f.rows && f.record; r++) {
    record_sums& sums = f.record[r];
    for (float* sum = sums.t; sum < sums.lowest; sum += VL) store(sum, vf{});
    store(sums.lowest, splat(infinity));
    store(sums.watched, splat(-infinity));
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

// Packs values and says whether one of them is NaN or an infinity (not_finite of attention_problem.inl.h in one pass).
static bool pack_and_check(float* target, i64 step, const float* v, i64 key_stride, i64 keys, i64 width) {
  vf sum[4]{};
  for (i64 j = 0; j < keys; j++)
    for (i64 d = 0; d < width; d += VL) {
      const vf x = load_strided(v + j * key_stride + d, 1, (int)min_of(VL, width - d));
      vf& part = sum[(j + d / VL) % 4];
      part = fma(x, vf{}, part);
      store(target + j * step + d, x);
    }
  return any((sum[0] + sum[1]) + (sum[2] + sum[3]) != vf{});
}

// `partly`: some pair of the block and the tile is forbidden, so it matters whether values are finite.
static void pack_values(forward_state& f, const forward_tile& t, bool partly) {
  const attention_problem& p = *f.p;
  const i64 key_stride = p.v->stride[2], width_stride = p.v->stride[3];
  const float* v = f.v + t.j0 * key_stride;
  const float* first = v + t.from * key_stride;
  float* packed = f.v_packed + t.from * f.v_width;
  const i64 keys = t.keys - t.from;
  const bool in_place = width_stride == 1 && p.Dv == f.v_width && f.rows <= 2 * tile_rows;
  f.values = in_place ? v : f.v_packed;
  f.value_step = in_place ? key_stride : f.v_width;
  if (partly && !in_place && width_stride == 1) {
    f.careful = pack_and_check(packed, f.v_width, first, key_stride, keys, p.Dv);
    return;
  }
  f.careful = partly && not_finite(first, key_stride, width_stride, keys, p.Dv);
  if (!in_place) pack(packed, f.v_width, first, key_stride, width_stride, keys, p.Dv);
}

// Asks for rows `from` … `past` of a head, as far as they lie together.
static void prefetch_rows(const view& x, i64 b, i64 h, i64 from, i64 past) {
  if (x.stride[3] != 1) return;
  const float* row = head(x, b, h) + from * x.stride[2];
  for (i64 i = from; i < past; i++, row += x.stride[2])
    for (i64 d = 0; d < x.size[3]; d += cache_line) __builtin_prefetch(row + d, 0, 2);
}

// Asks for part `index` of `parts` of it while this tile is computed.
static void prefetch(const attention_problem& p, const upcoming& next, i64 index, i64 parts) {
  const i64 from = next.j0 + next.keys * index / parts, past = next.j0 + next.keys * (index + 1) / parts;
  prefetch_rows(*p.k, next.b, next.g, from, past);
  prefetch_rows(*p.v, next.b, next.g, from, past);
  for (i64 h = next.g * (p.H / p.G); h < (next.g + 1) * (p.H / p.G) && next.queries; h++)
    prefetch_rows(*p.q, next.b, h, next.i0 + next.queries * index / parts, next.i0 + next.queries * (index + 1) / parts);
}

// Asks for the mask of a row's next tile.
static void prefetch_mask(const attention_problem& p, const u8* mask, i64 j0) {
  if (!mask || p.mask->stride[3] != 1) return;
  for (i64 j = j0; j < min_of(p.S, j0 + forward_keys); j += 4 * cache_line) __builtin_prefetch(mask + j, 0, 2);
}
