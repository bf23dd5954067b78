// What the attention kernels share: the problem read from a call, which keys a row may attend, and the score tile.
//
// A tile is a block of query rows times `key_block` keys, counted from key 0, so that a row's sums are cut at the same
// keys whatever S, the rows beside it, the batch and the threads. Next: attention_forward.inl.h.
#pragma once

#include "attention_blocks.inl.h"
#include "attention_program.inl.h"
#include "dropout.inl.h"
#include "matmul_tile.inl.h"
#include "matmul_pack.inl.h"

constexpr i64 key_block = 128;
constexpr i64 tile_pitch = key_block + 16;  // rows of a tile must not share cache sets
constexpr i64 width_block = key_block;      // D and Dv are packed in pieces of this width
constexpr float infinity = __builtin_inff();

struct attention_problem {
  i64 B, H, G, L, S, D, Dv;
  const view *q, *k, *v;
  const view* mask;     // null when left out, like bias and lengths
  const view* bias;
  const view* lengths;
  block_map blocks;
  const view *relative, *sinks, *mass;  // null when left out
  i64 reach;
  const score_program* program;
  float scale, softcap;
  i64 left, right, offset;
  u32 dropout_threshold;  // 0: no dropout
  float dropout_scale;
  u32 seed, stream;
};

KEYHOLE_INLINE i64 whole(double x) { return (i64)(x > 1e15 ? 1e15 : x < -1e15 ? -1e15 : x); }

KEYHOLE_INLINE const view* given(const call& c, int operand) {
  return c.operand[operand].data ? &c.operand[operand] : nullptr;
}

// v = o_k for the kernel without v. Scalars start with scale softcap left right offset in every attention kernel.
static attention_problem read_problem(const call& c, int q, int k, int v, int mask, int bias, int lengths) {
  attention_problem p{};
  p.q = &c.operand[q], p.k = &c.operand[k], p.v = &c.operand[v];
  p.mask = given(c, mask), p.bias = given(c, bias), p.lengths = given(c, lengths);
  p.B = p.q->size[0], p.H = p.q->size[1], p.L = p.q->size[2], p.D = p.q->size[3];
  p.G = p.k->size[1], p.S = p.k->size[2], p.Dv = p.v->size[3];
  p.scale = (float)c.scalar[0], p.softcap = (float)c.scalar[1];
  p.left = whole(c.scalar[2]), p.right = whole(c.scalar[3]), p.offset = whole(c.scalar[4]);
  return p;
}

static void read_dropout(attention_problem& p, double rate, double seed, double stream) {
  p.dropout_threshold = dropout_threshold(rate);
  p.dropout_scale = (float)(1.0 / (1.0 - rate));
  p.seed = to_u32(seed), p.stream = to_u32(stream);
}

// Scores by distance; scalar 5 is `reach` in every attention kernel.
static void read_relative(attention_problem& p, const call& c, int relative) {
  p.relative = given(c, relative), p.reach = whole(c.scalar[5]);
}

// `g` must live as long as p. Later fields of g and p are those of a call without a program when there is none.
static bool take_program(attention_problem& p, score_program& g, const call& c, int program, int captured,
                         bool captured_wanted = false) {
  if (!read_program(g, c, program, captured, captured_wanted)) return false;
  p.program = g.count ? &g : nullptr;
  return true;
}

static bool bad_problem(const attention_problem& p) {
  return (p.H > 0 && (p.G == 0 || p.H % p.G != 0)) || (p.relative && p.relative->size[3] == 0);
}

template <class T = float>
KEYHOLE_INLINE T* head(const view& v, i64 b, i64 h) {
  return static_cast<T*>(v.data) + b * v.stride[0] + h * v.stride[1];
}

#include "attention_relative.inl.h"

// Row i of a view [B,H,L,U] by distance, for keys counted from key j0; without a table when it was left out.
KEYHOLE_INLINE relative_row relative_row_of(const attention_problem& p, const view* v, i64 b, i64 h, i64 i, i64 j0) {
  if (!v) return {};
  return {head(*v, b, h) + i * v->stride[2], v->stride[3], v->size[3], j0 - i - p.offset + p.reach};
}

// Keys that rows first … last may attend by causality, window and length, within [0, S]; masks may forbid more.
static key_range keys_of(const attention_problem& p, i64 b, i64 first, i64 last) {
  i64 limit = p.S;
  if (p.lengths) limit = min_of(limit, static_cast<const int*>(p.lengths->data)[b * p.lengths->stride[0]]);
  limit = max_of(0, limit);
  const i64 begin = min_of(limit, max_of(0, first + p.offset - p.left));
  return {begin, max_of(begin, min_of(limit, last + p.offset + p.right + 1))};
}

// Those of `tile` that some of the rows may attend, by causality, window, length and blocks.
static key_range live_keys(const attention_problem& p, const block_rows& rows, key_range tile) {
  const key_range keys = keys_of(p, rows.b, rows.first, rows.last);
  return live_range(p.blocks, rows, {max_of(tile.begin, keys.begin), min_of(tile.end, keys.end)});
}

// Mask and bias of one row; null pointers when left out.
struct mask_row {
  const u8* mask;
  const float* bias;
};

KEYHOLE_INLINE mask_row mask_row_of(const attention_problem& p, i64 b, i64 h, i64 i) {
  return {p.mask ? head<u8>(*p.mask, b, h) + i * p.mask->stride[2] : nullptr,
          p.bias ? head(*p.bias, b, h) + i * p.bias->stride[2] : nullptr};
}

// The definition of `allowed`, one cell at a time, for the careful paths.
static bool allowed_cell(const attention_problem& p, i64 b, i64 h, i64 i, i64 j) {
  const key_range keys = keys_of(p, b, i, i);
  const mask_row row = mask_row_of(p, b, h, i);
  return j >= keys.begin && j < keys.end && (!row.mask || row.mask[j * p.mask->stride[3]] != 0) &&
         (!row.bias || row.bias[j * p.bias->stride[3]] != -infinity) && block_allows(p.blocks, b, h, i, j) &&
         (!p.relative || relative_row_of(p, p.relative, b, h, i, j).clipped_cell() != -infinity);
}

// [piece][capacity][tile_pitch]: rows of x cut in pieces of width_block columns. Serves the register tile both as rows
// (a) and as its vectors (b).
static void pack_rows(float* packed, i64 capacity, const float* x, i64 row_stride, i64 column_stride, i64 rows,
                      i64 width) {
  for (i64 d = 0; d < width; d += width_block, packed += capacity * tile_pitch)
    pack(packed, tile_pitch, x + d * column_stride, row_stride, column_stride, rows, min_of(width_block, width - d));
}

constexpr i64 pieces(i64 width) { return max_of(1, (width + width_block - 1) / width_block); }
constexpr i64 packed_rows_floats(i64 capacity, i64 width) { return pieces(width) * capacity * tile_pitch; }

// [panel][width][tile_columns]: keys as columns.
static void pack_keys(float* packed, const float* x, i64 key_stride, i64 width_stride, i64 keys, i64 width) {
  for (i64 j = 0; j < keys; j += tile_columns, packed += width * tile_columns)
    pack(packed, tile_columns, x + j * key_stride, width_stride, key_stride, width, min_of(tile_columns, keys - j));
}

// tile[r][j] = Σ_d rows[r][d] · keys[j][d] for keys begin <= j < end of the tile; begin is a multiple of tile_columns.
// The sum is cut every `score_chain` terms: at D = 256 one chain would come too near to N1's bound.
constexpr i64 score_chain = 64;

template <i64 Pitch = tile_pitch>
static void score_tile(float* tile, const float* rows_packed, i64 capacity, const float* keys_packed, int rows,
                       i64 begin, i64 end, i64 width) {
  for (i64 j = begin; j < end; j += tile_columns) {
    const float* keys = keys_packed + j * width;
    const i64 columns = min_of(tile_columns, end - j);
    multiply<tile_pitch, 1, tile_set>(rows, columns, tile + j, Pitch, rows_packed, keys, tile_columns,
                                      min_of(score_chain, width));
    for (i64 d = score_chain; d < width; d += score_chain)
      multiply<tile_pitch, 1, tile_add>(rows, columns, tile + j, Pitch,
                                        rows_packed + d / width_block * capacity * tile_pitch + d % width_block,
                                        keys + d * tile_columns, tile_columns, min_of(score_chain, width - d));
  }
}

// Row i from key j on, without slots.
KEYHOLE_INLINE program_row program_row_of(const attention_problem& p, i64 b, i64 h, i64 i, i64 j, i64 keys) {
  return {p.program, nullptr, nullptr, tile_pitch, round_up(keys, VL), b, h, i + p.offset, j};
}

// One row of a score tile on its way to probabilities.
struct score_row {
  float* s;          // tile row; s[j] is key j0 + j
  i64 j0;
  i64 begin, end;    // computed keys of the tile, begin a multiple of VL
  i64 first, past;   // keys of the tile that causality, window and length allow
  mask_row masks;
  relative_row near;
  i64 b, h, i;
  float* slope;      // null, or receives d softcap / dx
  const u8* pattern;  // null, or of keys `begin` on
  i64 pattern_stride;
  program_row run;   // of the computed keys; its slots are the caller's
};

static score_row score_row_of(const attention_problem& p, i64 b, i64 h, i64 i, float* s, i64 j0, i64 begin, i64 end) {
  const key_range keys = keys_of(p, b, i, i);
  return {s, j0, begin, end, keys.begin - j0, keys.end - j0, mask_row_of(p, b, h, i),
          relative_row_of(p, p.relative, b, h, i, j0), b, h, i, nullptr, nullptr, 0,
          program_row_of(p, b, h, i, j0 + begin, end - begin)};
}

// Lanes j … j+VL-1 of the row that are allowed.
static vi allowed_lanes(const attention_problem& p, const score_row& row, i64 j, vf bias) {
  const int count = (int)min_of(VL, row.end - j);
  const int first = (int)max_of(0, min_of(VL, row.first - j)), past = (int)max_of(0, min_of(count, row.past - j));
  vi allowed = (lanes() >= first) & (lanes() < past);
  if (row.masks.bias) allowed &= bias != splat(-infinity);
  if (row.masks.mask) {
    const i64 stride = p.mask->stride[3];
    allowed &= load_bytes_strided(row.masks.mask + (row.j0 + j) * stride, stride, count) != 0;
  }
  if (row.pattern)
    allowed &= load_bytes_strided(row.pattern + (j - row.begin) * row.pattern_stride, row.pattern_stride, count) != 0;
  return allowed;
}

KEYHOLE_INLINE vf cap(const attention_problem& p, const score_row& row, i64 j, vf x) {
  vf t = vtanh(x / splat(p.softcap));
  if (row.slope) store(row.slope + j, splat(1.0f) - t * t);
  return splat(p.softcap) * t;
}

struct row_summary {
  float largest;  // NaN is passed over: it shows in the sums
  int keys;
};

// s[j] = program(softcap(scale · s[j])), in place.
static void modify_scores(const attention_problem& p, const score_row& row) {
  for (i64 j = row.begin; j < row.end; j += VL) {
    const vf x = load(row.s + j) * splat(p.scale);
    store(row.s + j, p.softcap > 0 ? cap(p, row, j, x) : x);
  }
  run_program(row.run, row.s + row.begin);
}

// s[j] = softcap(scale · s[j]) + bias + relative, the first where a program has not been before, or -inf where forbidden, in place;
// the map of blocks is left out.
static row_summary finish_keys(const attention_problem& p, const score_row& row) {
  const bool masked = row.masks.mask || row.masks.bias || row.near.table || row.pattern || p.program;
  vf largest = splat(-infinity);
  vi keys{};
  for (i64 j = row.begin; j < row.end; j += VL) {
    vf x = load(row.s + j) * splat(p.program ? 1.0f : p.scale), bias{};
    if (p.softcap > 0 && !p.program) x = cap(p, row, j, x);
    const vi open = x != splat(-infinity);
    if (row.masks.bias) {
      const i64 stride = p.bias->stride[3];
      bias = load_strided(row.masks.bias + (row.j0 + j) * stride, stride, (int)min_of(VL, row.end - j));
      x += bias;
    }
    const vf near = row.near.table ? row.near.at(j) : vf{};
    if (row.near.table) x += near;
    if (masked || j < row.first || j + VL > row.past) {
      vi allowed = allowed_lanes(p, row, j, bias) & (near != splat(-infinity));
      if (p.program) allowed &= open;
      x = select(allowed, x, splat(-infinity));
      keys -= allowed;
    } else {
      keys += 1;
    }
    store(row.s + j, x);
    largest = max(x, largest);
  }
  return {maximum(largest), (int)sum(to_float(keys))};
}

// s[j] = program(softcap(scale · s[j])) + bias, or -inf where forbidden, in place; block by block where there is a map.
static void finish_scores(const attention_problem& p, const score_row& row) {
  if (p.program) modify_scores(p, row);
  if (!p.blocks.codes) {
    finish_keys(p, row);
    return;
  }
  const mapped_row map = mapped_row_of(p.blocks, row.b, row.h, row.i);
  for (i64 j = row.begin, end; j < row.end; j = end) {
    const block_cells cells = cells_of(map, row.j0 + j);
    score_row part = row;
    part.begin = j, part.end = end = min_of(row.end, cells.end - row.j0);
    part.pattern = cells.pattern, part.pattern_stride = cells.stride;
    if (cells.code != empty_block) finish_keys(p, part);
    for (i64 x = j; x < end && cells.code == empty_block; x += VL) store(row.s + x, splat(-infinity));
  }
}

// e^(s - lse), and 0 where s is -inf even if lse is NaN.
KEYHOLE_INLINE vf probability(vf s, float lse) {
  return select(s == splat(-infinity), vf{}, vexp(s - splat(lse)));
}

// True when causality, window, length, a mask or blocks may forbid a cell of rows first … last, keys [j0 + begin, j0 + end).
static bool partly_forbidden(const attention_problem& p, i64 b, i64 first, i64 last, i64 j0, i64 begin, i64 end) {
  if (p.mask || p.bias || p.relative || p.blocks.codes || p.program) return true;
  const key_range early = keys_of(p, b, first, first), late = keys_of(p, b, last, last);
  return late.begin > j0 + begin || early.end < j0 + end;
}

// True when x holds NaN or an infinity: then x·0 is not 0. Four sums, so that the additions need not wait for each other.
static bool not_finite(const float* x, i64 row_stride, i64 column_stride, i64 rows, i64 width) {
  vf sum[4]{};
  for (i64 i = 0; i < rows; i++)
    for (i64 d = 0; d < width; d += VL) {
      vf& part = sum[(i + d / VL) % 4];
      part = fma(load_strided(x + i * row_stride + d * column_stride, column_stride, (int)min_of(VL, width - d)), vf{}, part);
    }
  return any((sum[0] + sum[1]) + (sum[2] + sum[3]) != vf{});
}

// The row's weights of columns `column` … that dropout keeps, scaled; the others 0.
KEYHOLE_INLINE vf drop(const attention_problem& p, u32 row_key, i64 column, vf x) {
  return select(dropout_keep(row_key, (u32)column, p.dropout_threshold), x * splat(p.dropout_scale), vf{});
}

KEYHOLE_INLINE u32 dropout_key(const attention_problem& p, i64 b, i64 h, i64 i) {
  return dropout_row_key(p.seed, p.stream, (u32)((b * p.H + h) * p.L + i));
}
