// The part of the record that needs the final lse: attention received by each key, the pooled map, the largest weights and
// the count of keys that get next to nothing. While scores become weights a copy of them is kept for the rows of a block
// (O(S) memory, never L×S); when the rows are finished, p = w·c with one factor c a row and tile, so nothing is computed
// twice.
//
// received [B,H,S]: Σ_i p_ij      tiles [B,H,P,P]: mean over the rows with keys in a bin of queries of Σ p_ij over a bin of
// keys; position x of n lies in bin x·P/n      topWeights, topKeys [B,H,L,T]: the largest, the first of equals first,
// filled up with 0 and -1      zeroKeys [B,H,L]: allowed keys with p < 1e-6
//
// Rows are added in ascending order, in parts whose number depends on L and P alone; so are parts (N11, N12).
#pragma once

#include "attention_statistics.inl.h"

constexpr i64 strip_floats_wanted = 1 << 20;  // 4 MiB: the third-level cache keeps it
constexpr float next_to_nothing = 1e-6f;

struct strip_outputs {
  const view *received, *tiles, *top_weights, *top_keys, *zero_keys;  // null when left out
  i64 bins, top;
  bool wanted;
};

static strip_outputs read_strip_outputs(const call& c) {
  using namespace attention_forward_f32_call;
  strip_outputs to{};
  to.received = given(c, o_received), to.tiles = given(c, o_tiles), to.zero_keys = given(c, o_zeroKeys);
  to.top_weights = given(c, o_topWeights), to.top_keys = given(c, o_topKeys);
  to.bins = to.tiles ? to.tiles->size[2] : 0, to.top = to.top_weights ? to.top_weights->size[3] : 0;
  to.wanted = to.received || to.tiles || to.top_weights || to.top_keys || to.zero_keys;
  return to;
}

// A block's copy of its weights, and what the rows of a part add up to.
struct strip {
  const strip_outputs* to;
  i64 pitch, tiles;  // floats of a row of w; tiles of S
  float* w;          // [rows][pitch]
  float* factor;     // [rows][tiles]: the maximum that the tile's weights are relative to, later c
  i64* range;        // [rows][2]: keys that were computed, multiples of VL
  float* column;     // [heads][pitch]: Σ p over the rows of the current bin
  i64* counted;      // [heads]: rows with keys among them
  float* received;   // [parts][B·H][S]: Σ p over the rows of each part
};

static i64 strip_pitch(const attention_problem& p) { return round_up(p.S, forward_keys) + VL; }
static i64 strip_tiles(const attention_problem& p) { return (p.S + forward_keys - 1) / forward_keys; }

static i64 strip_scratch_floats(const attention_problem& p, i64 rows) {
  const i64 heads = p.H / p.G;
  return rows * (strip_pitch(p) + strip_tiles(p) + 4) + heads * (strip_pitch(p) + 2) + 5 * VL;
}

static strip carve_strip(const attention_problem& p, const strip_outputs& to, i64 rows, float* scratch) {
  const i64 heads = p.H / p.G;
  strip s{};
  s.to = &to, s.pitch = strip_pitch(p), s.tiles = strip_tiles(p);
  s.w = scratch;
  s.column = s.w + rows * s.pitch;
  s.range = reinterpret_cast<i64*>(s.column + heads * s.pitch);
  s.counted = s.range + 2 * rows;
  s.factor = reinterpret_cast<float*>(s.counted + heads);
  return s;
}

// Bins of queries that hold no row keep these zeros.
static void clear_tiles(const strip_outputs& to, i64 b, i64 h, i64 first_bin, i64 past_bin) {
  for (i64 bin = first_bin; bin < past_bin; bin++)
    for (i64 key_bin = 0; key_bin < to.bins; key_bin++)
      head(*to.tiles, b, h)[bin * to.tiles->stride[2] + key_bin * to.tiles->stride[3]] = 0;
}

static void clear_column(const strip& s, i64 head) {
  for (i64 j = 0; j < s.pitch; j += VL) store(s.column + head * s.pitch + j, vf{});
  s.counted[head] = 0;
}

// Keys from … to of row r, which were skipped because their blocks are empty, have weight 0.
static void forget_keys(const strip& s, i64 r, i64 from, i64 to) {
  for (i64 j = from; j < to; j += VL) store(s.w + r * s.pitch + j, vf{});
  for (i64 tile = (from + forward_keys - 1) / forward_keys; (tile + 1) * forward_keys <= to; tile++)
    s.factor[r * s.tiles + tile] = -infinity;
}

// Keeps the weights of a row of a tile, and notes which they are and what they are relative to.
static void keep_row(const strip& s, const tile_row& row, float m) {
  float* kept = s.w + row.r * s.pitch + row.j0;
  for (i64 j = row.begin; j < row.end; j += VL) store(kept + j, load(row.s + j));
  i64* range = s.range + 2 * row.r;
  const i64 begin = row.j0 + row.begin;
  if (range[0] == range[1]) range[0] = begin;
  else forget_keys(s, row.r, range[1], begin);
  range[1] = row.j0 + round_up(row.end, VL);
  s.factor[row.r * s.tiles + row.j0 / forward_keys] = m;
}

// The maxima of row r become factors: p = w·c, c = 2^(unit·(m_tile - m)) / l.
static void find_factors(const strip& s, i64 r, float m, float unit, float l) {
  const i64* range = s.range + 2 * r;
  for (i64 tile = range[0] / forward_keys; tile * forward_keys < range[1]; tile++) {
    float& c = s.factor[r * s.tiles + tile];
    c = c == -infinity ? 0.0f : power_of_two(splat((c - m) * unit))[0] / l;
  }
}

// Places p at key j among the largest of a row, after its equals.
static void place_weight(float* weights, i64 weight_step, int* keys, i64 key_step, i64 top, float p, i64 j) {
  i64 at = top - 1;
  for (; at > 0 && weights[(at - 1) * weight_step] < p; at--) {
    weights[at * weight_step] = weights[(at - 1) * weight_step];
    keys[at * key_step] = keys[(at - 1) * key_step];
  }
  weights[at * weight_step] = p;
  keys[at * key_step] = (int)j;
}

// The largest weights of a row and its keys with next to nothing.
static void rank_row(const forward_state& f, const strip& s, i64 r) {
  const strip_outputs& to = *s.to;
  const i64 h = head_of(f, r), i = query_of(f, r), *range = s.range + 2 * r;
  float* weights = to.top ? head(*to.top_weights, f.b, h) + i * to.top_weights->stride[2] : nullptr;
  int* keys = to.top ? head<int>(*to.top_keys, f.b, h) + i * to.top_keys->stride[2] : nullptr;
  const i64 weight_step = to.top ? to.top_weights->stride[3] : 0, key_step = to.top ? to.top_keys->stride[3] : 0;
  for (i64 n = 0; n < to.top; n++) weights[n * weight_step] = 0, keys[n * key_step] = -1;
  vi heard{};
  float least = to.top ? 0.0f : infinity;
  for (i64 j = range[0]; j < range[1]; j += VL) {
    const vf p = load(s.w + r * s.pitch + j) * splat(s.factor[r * s.tiles + j / forward_keys]);
    heard -= p >= splat(next_to_nothing);
    if (!any(p > splat(least))) continue;
    for (int lane = 0; lane < VL; lane++)
      if (p[lane] > least) {
        place_weight(weights, weight_step, keys, key_step, to.top, p[lane], j + lane);
        least = weights[(to.top - 1) * weight_step];
      }
  }
  if (to.zero_keys)
    head(*to.zero_keys, f.b, h)[i * to.zero_keys->stride[2]] = f.keys[r] - (float)sum(to_float(heard));
}

// column += Σ p of rows r0 … r1-1 of one head, in ascending order.
static void add_rows(const strip& s, float* column, i64 r0, i64 r1) {
  i64 begin = s.range[2 * r0], end = s.range[2 * r0 + 1];
  bool even = true;
  for (i64 r = r0; r < r1; r++) even = even && s.range[2 * r] == begin && s.range[2 * r + 1] == end;
  if (!even) {
    for (i64 r = r0; r < r1; r++) add_rows(s, column, r, r + 1);
    return;
  }
  for (i64 j = begin; j < end; j += VL) {
    vf total = load(column + j);
    for (i64 r = r0; r < r1; r++)
      total = fma(load(s.w + r * s.pitch + j), splat(s.factor[r * s.tiles + j / forward_keys]), total);
    store(column + j, total);
  }
}

// Whatever is unfinished of a head's bin of queries goes to the map and to the part's sums.
static void close_bin(const forward_state& f, const strip& s, i64 head_index, i64 bin, i64 part) {
  const attention_problem& p = *f.p;
  const i64 h = f.h0 + head_index;
  const float* column = s.column + head_index * s.pitch;
  if (const view* to = s.to->tiles) {
    const float rest = s.counted[head_index] ? 1.0f / (float)s.counted[head_index] : 0.0f;
    float* cells = head(*to, f.b, h) + bin * to->stride[2];
    for (i64 key_bin = 0, j = 0; key_bin < s.to->bins; key_bin++) {
      float total = 0;
      for (; j < p.S && j * s.to->bins / p.S == key_bin; j++) total += column[j];
      cells[key_bin * to->stride[3]] = total * rest;
    }
  }
  float* received = s.received + ((part * p.B + f.b) * p.H + h) * p.S;
  for (i64 j = 0; j < p.S && s.to->received; j++) received[j] += column[j];
  clear_column(s, head_index);
}

// First query of a bin, and the bin of a query; without a map there is one bin.
static i64 bin_start(const attention_problem& p, i64 bins, i64 bin) { return (bin * p.L + bins - 1) / bins; }

// The finished rows of a block.
static void read_strip(const forward_state& f, const strip& s, i64 part, i64 part_end) {
  const attention_problem& p = *f.p;
  const i64 bins = max_of(1, s.to->bins);
  for (i64 head_index = 0; head_index < p.H / p.G; head_index++)
    for (i64 i = f.i0, next; i < f.i0 + f.queries; i = next) {
      const i64 bin = i * bins / p.L, bin_end = min_of(part_end, bin_start(p, bins, bin + 1));
      const i64 group_end = f.i0 + ((i - f.i0) / tile_rows + 1) * tile_rows;  // the same keys were computed for its rows
      next = min_of(min_of(f.i0 + f.queries, bin_end), group_end);
      const i64 r0 = head_index * f.queries + i - f.i0, r1 = r0 + next - i;
      for (i64 r = r0; r < r1; r++) {
        find_factors(s, r, f.m[r], f.unit, sum(load(f.l + r * VL)));
        if (s.to->top || s.to->zero_keys) rank_row(f, s, r);
        s.counted[head_index] += f.keys[r] != 0;
      }
      if (s.to->tiles || s.to->received) add_rows(s, s.column + head_index * s.pitch, r0, r1);
      if (next == bin_end) close_bin(f, s, head_index, bin, part);
    }
}
