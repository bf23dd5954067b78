// One block of query rows against one tile of keys, backward: p and ds, and what they add to dq, dk, dv and dbias.
// Included by attention_backward.inl.h, which says what is computed and in which order the tiles come.
#pragma once

#include "attention_relative_gradient.inl.h"

constexpr i64 row_tile = 5 * 12;  // query rows of a block; a multiple of tile_rows on every target

// Gradients of captured values are summed in units whose order and extent no thread changes: each tile of a key head, or a
// whole key head where that would take too much memory.
struct captured_units {
  float* sums;    // [units][size]; null when they are not wanted
  i64 size, count;
  bool of_tiles;
};

struct backward_state {
  const attention_problem* p;
  i64 b, g, h;
  i64 i0, i1;        // rows of this item
  i64 j0, keys;      // the tile
  bool want_keys;    // dk, dv, dbias
  bool want_rows;    // dq
  bool finite_keys;  // k of this tile is finite
  const float* deltas;  // [B·H·L]: Σ dout·out
  float* q_rows;     // [pieces][row_tile][tile_pitch]
  float* dout_rows;
  float* k_rows;     // [pieces][key_block][tile_pitch]
  float* k_panels;   // [panels][D][tile_columns]
  float* v_panels;
  float* p_tile;     // [row_tile][tile_pitch]: scores, then dropped p
  float* ds_tile;    // [row_tile][tile_pitch]: dout·vᵀ, then scale·ds·slope
  float* slope;      // [tile_pitch] of one row
  float* dk;         // [key_block][pieces·width_block]: sums of the tile
  float* dv;
  float* dq;         // [tile_rows][pieces·width_block]: one product
  relative_sums columns;  // of drelative
  float* by_key;     // [tile_pitch]: ds of one row
  float* slots;      // of a score program for one row: values, then gradients
  float* dcaptured;  // sums of the unit; null when they are not wanted
  const captured_units* units;
  float* single;     // [tile_pitch]: gradients of single weights of one row, 0 between rows; null when none are asked for
};

constexpr i64 sum_width(i64 width) { return pieces(width) * width_block; }

static i64 backward_scratch_floats(const attention_problem& p) {
  return packed_rows_floats(row_tile, p.D) + packed_rows_floats(row_tile, p.Dv) + packed_rows_floats(key_block, p.D) +
         key_block * (p.D + p.Dv) + (2 * row_tile + 1) * tile_pitch + key_block * (sum_width(p.D) + sum_width(p.Dv)) +
         tile_rows * sum_width(p.D) + 2 * tile_pitch + 2 * program_floats(p.program, tile_pitch) + 64;
}

// rows × width floats of a strided output become 0.
static void clear_view(float* x, i64 row_stride, i64 column_stride, i64 rows, i64 width) {
  for (i64 i = 0; i < rows; i++)
    for (i64 d = 0; d < width; d += VL)
      store_strided(x + i * row_stride + d * column_stride, column_stride, vf{}, (int)min_of(VL, width - d));
}

static backward_state backward_state_of(const call& c, const attention_problem& p, int worker, i64 floats, i64 b, i64 g,
                                        bool want_keys, bool want_rows) {
  backward_state f{};
  f.p = &p, f.b = b, f.g = g, f.i0 = 0, f.i1 = p.L, f.want_keys = want_keys, f.want_rows = want_rows;
  f.q_rows = static_cast<float*>(c.scratch(c, worker, floats * 4));
  f.dout_rows = f.q_rows + packed_rows_floats(row_tile, p.D);
  f.k_rows = f.dout_rows + packed_rows_floats(row_tile, p.Dv);
  f.k_panels = f.k_rows + packed_rows_floats(key_block, p.D);
  f.v_panels = f.k_panels + key_block * p.D;
  f.p_tile = f.v_panels + key_block * p.Dv;
  f.ds_tile = f.p_tile + row_tile * tile_pitch;
  f.slope = f.ds_tile + row_tile * tile_pitch;
  f.dk = f.slope + tile_pitch;
  f.dv = f.dk + key_block * sum_width(p.D);
  f.dq = f.dv + key_block * sum_width(p.Dv);
  f.by_key = f.dq + tile_rows * sum_width(p.D);
  f.slots = f.by_key + 2 * tile_pitch;
  if (!wants_statistics(c)) return f;
  f.single = f.by_key + tile_pitch;
  clear_view(f.single, tile_pitch, 1, 1, tile_pitch);
  return f;
}

static void clear_dq(const call& c, const backward_state& f, i64 h0, i64 h1) {
  const view& dq = c.operand[attention_backward_f32_call::o_dq];
  for (i64 h = h0; h < h1; h++)
    clear_view(head(dq, f.b, h) + f.i0 * dq.stride[2], dq.stride[2], dq.stride[3], f.i1 - f.i0, f.p->D);
  clear_columns(*f.p, f.columns, f.b, h0, h1, f.i0, f.i1);
}

static void pack_tile_keys(backward_state& f) {
  const attention_problem& p = *f.p;
  const view &vk = *p.k, &vv = *p.v;
  const float* k = head(vk, f.b, f.g) + f.j0 * vk.stride[2];
  const float* v = head(vv, f.b, f.g) + f.j0 * vv.stride[2];
  pack_keys(f.k_panels, k, vk.stride[2], vk.stride[3], f.keys, p.D);
  pack_keys(f.v_panels, v, vv.stride[2], vv.stride[3], f.keys, p.Dv);
  if (!f.want_rows) return;
  pack_rows(f.k_rows, key_block, k, vk.stride[2], vk.stride[3], f.keys, p.D);
  f.finite_keys = !not_finite(k, vk.stride[2], vk.stride[3], f.keys, p.D);
}

// Finds the sums of captured values for this tile; those of a new unit become 0.
static void clear_unit(backward_state& f) {
  const captured_units& units = *f.units;
  if (!units.sums) return;
  const i64 tiles = units.of_tiles ? (f.p->S + key_block - 1) / key_block : 1, tile = units.of_tiles ? f.j0 / key_block : 0;
  f.dcaptured = units.sums + ((f.b * f.p->G + f.g) * tiles + tile) * units.size;
  if (units.of_tiles || f.j0 == 0)
    for (i64 x = 0; x < units.size; x++) f.dcaptured[x] = 0;
}

// The sums become 0, and so do the tile's columns of dbias in every row of the group, for tiles that are skipped later.
static void clear_tile_sums(const call& c, backward_state& f) {
  using namespace attention_backward_f32_call;
  const attention_problem& p = *f.p;
  clear_view(f.dk, sum_width(p.D), 1, f.keys, round_up(p.D, VL));
  clear_view(f.dv, sum_width(p.Dv), 1, f.keys, round_up(p.Dv, VL));
  clear_unit(f);
  const view& dbias = c.operand[o_dbias];
  if (!dbias.data) return;
  const i64 heads = p.H / p.G;
  for (i64 h = f.g * heads; h < (f.g + 1) * heads; h++)
    clear_view(head(dbias, f.b, h) + f.j0 * dbias.stride[3], dbias.stride[2], dbias.stride[3], p.L, f.keys);
}

static void write_sums(const view& to, const backward_state& f, const float* sums, i64 width) {
  float* target = head(to, f.b, f.g) + f.j0 * to.stride[2];
  for (i64 j = 0; j < f.keys; j++)
    for (i64 d = 0; d < width; d += VL)
      store_strided(target + j * to.stride[2] + d * to.stride[3], to.stride[3], load(sums + j * sum_width(width) + d),
                    (int)min_of(VL, width - d));
}

static void write_tile_sums(const call& c, const backward_state& f) {
  write_sums(c.operand[attention_backward_f32_call::o_dk], f, f.dk, f.p->D);
  write_sums(c.operand[attention_backward_f32_call::o_dv], f, f.dv, f.p->Dv);
}

// ds_row: gradients of what a program made of scores → those of the scores, scale·ds·slope.
static void differentiate_modified(const attention_problem& p, const score_row& row, float* ds_row, float* dcaptured) {
  differentiate_program(row.run, ds_row + row.begin, dcaptured);
  for (i64 j = row.begin; j < row.end; j += VL) {
    vf ds = load(ds_row + j);
    if (row.slope) ds = select(ds == vf{}, vf{}, ds * load(row.slope + j));
    store(ds_row + j, ds * splat(p.scale));
  }
}

// p_tile: scores → dropped p; ds_tile: dout·vᵀ → scale·ds·slope; dbias = ds on the way. `More`: lse or a statistic has
// a gradient, too. `Distance`: scores by distance want one, or weights by distance have one.
template <bool More, bool Distance>
static void differentiate_row(const call& c, backward_state& f, score_row row, i64 i, float* ds_row) {
  using namespace attention_backward_f32_call;
  const attention_problem& p = *f.p;
  const view &lse = c.operand[o_lse], &dbias = c.operand[o_dbias];
  if (p.softcap > 0) row.slope = f.slope;
  if (p.program) row.run.values = f.slots, row.run.gradients = f.slots + program_floats(p.program, tile_pitch);
  finish_scores(p, row);
  const float lse_i = head(lse, f.b, f.h)[i * lse.stride[2]], delta = f.deltas[(f.b * p.H + f.h) * p.L + i];
  const u32 key = p.dropout_threshold ? dropout_key(p, f.b, f.h, i) : 0;
  float* dbias_i = dbias.data && f.want_keys ? head(dbias, f.b, f.h) + i * dbias.stride[2] : nullptr;
  const statistics_gradient more = More ? statistics_gradient_of(c, p, f.b, f.h, i, row, f.single) : statistics_gradient{};
  const relative_row dmass = Distance ? relative_row_of(p, given(c, o_drelativeMass), f.b, f.h, i, row.j0) : relative_row{};
  for (i64 j = row.begin; j < row.end; j += VL) {
    const vf s = load(row.s + j);
    const vf weight = probability(s, lse_i);
    vf dp = load(ds_row + j), dropped = weight;
    if (Distance && dmass.table) dp += dmass.at(j);
    if (p.dropout_threshold) {
      dp = drop(p, key, row.j0 + j, dp);
      dropped = drop(p, key, row.j0 + j, weight);
    }
    vf change = dp - splat(delta);
    if (More) change += more.at(j, s - splat(lse_i), weight, (int)min_of(VL, row.end - j));
    vf ds = select(s == splat(-infinity), vf{}, weight * change);
    if (dbias_i)
      store_strided(dbias_i + (row.j0 + j) * dbias.stride[3], dbias.stride[3], ds, (int)min_of(VL, row.end - j));
    if (Distance) store(f.by_key + j, ds);
    store(row.s + j, dropped);
    if (p.program) {
      store(ds_row + j, ds);
      continue;
    }
    if (row.slope) ds = select(s == splat(-infinity), vf{}, ds * load(row.slope + j));
    store(ds_row + j, ds * splat(p.scale));
  }
  if (p.program) differentiate_modified(p, row, ds_row, f.dcaptured);
  if (More) more.forget();
  if (!Distance || !f.columns.to || !f.want_rows) return;
  const column_row sums = columns_of(p, f.columns, f.b, f.h, i);
  add_by_column(sums.sums, sums.stride, f.columns.to->size[3], row.near.shift, f.by_key, row.begin, row.end);
}

// Not inlined, so that the usual row's code is as if these did not exist.
static __attribute__((noinline)) void differentiate_recorded_row(const call& c, backward_state& f, const score_row& row,
                                                                 i64 i, float* ds_row) {
  if (f.columns.to || f.p->mass) differentiate_row<true, true>(c, f, row, i, ds_row);
  else differentiate_row<true, false>(c, f, row, i, ds_row);
}
static __attribute__((noinline)) void differentiate_distant_row(const call& c, backward_state& f, const score_row& row,
                                                                i64 i, float* ds_row) {
  differentiate_row<false, true>(c, f, row, i, ds_row);
}

// Whether the pair of query i and key j of the tile, which has `factor` in a sum, is allowed.
static bool takes_part(const backward_state& f, i64 i, i64 j, float factor) {
  return allowed_cell(*f.p, f.b, f.h, i, f.j0 + j) && !(f.p->program && factor == 0);
}

// target[r] (=) Σ over the tile's keys j of ds[r][j]·k[j], allowed cells alone when `careful`.
static void multiply_keys(const backward_state& f, i64 i, i64 r0, int rows, i64 begin, i64 end, bool careful) {
  const i64 width = f.p->D, step = sum_width(width);
  const float* ds = f.ds_tile + r0 * tile_pitch;
  for (i64 d = 0; d < width; d += tile_columns) {
    const float* k = f.k_rows + d / width_block * key_block * tile_pitch + d % width_block;
    const i64 columns = min_of(tile_columns, width - d);
    if (!careful) {
      multiply<tile_pitch, 1, tile_set>(rows, columns, f.dq + d, step, ds + begin, k + begin * tile_pitch, tile_pitch,
                                        end - begin);
      continue;
    }
    for (int r = 0; r < rows; r++)
      for (i64 v = 0; v < columns; v += VL) {
        vf total{};
        for (i64 j = begin; j < end; j++)
          if (takes_part(f, i + r, j, ds[r * tile_pitch + j]))
            total = fma(splat(ds[r * tile_pitch + j]), load(k + j * tile_pitch + v), total);
        store(f.dq + r * step + d + v, total);
      }
  }
}

static void add_dq(const call& c, const backward_state& f, i64 i, int rows) {
  const view& to = c.operand[attention_backward_f32_call::o_dq];
  float* dq = head(to, f.b, f.h) + i * to.stride[2];
  for (int r = 0; r < rows; r++)
    for (i64 d = 0; d < f.p->D; d += VL) {
      float* target = dq + r * to.stride[2] + d * to.stride[3];
      const int count = (int)min_of(VL, f.p->D - d);
      store_strided(target, to.stride[3],
                    load_strided(target, to.stride[3], count) + load(f.dq + r * sum_width(f.p->D) + d), count);
    }
}

// The keys of the tile that each group of tile_rows rows of a block computes.
struct group_ranges {
  key_range keys[row_tile / tile_rows];
  int count;
};

// Rows of the block from the first to the last group that computes one of the keys [begin, end).
static key_range rows_with(const group_ranges& groups, i64 begin, i64 end, i64 rows) {
  const auto meets = [&](int g) { return groups.keys[g].begin < end && groups.keys[g].end > begin; };
  int first = 0, past = groups.count;
  while (first < past && !meets(first)) first++;
  while (past > first && !meets(past - 1)) past--;
  return {first * (i64)tile_rows, min_of(rows, past * (i64)tile_rows)};
}

// Keys [begin, end) of a row that its group does not compute weigh nothing.
static void clear_outside(float* row, key_range computed, i64 begin, i64 end) {
  for (i64 j = begin; j < computed.begin; j += VL) store(row + j, vf{});
  i64 j = computed.end;
  for (; j < end && j % VL; j++) row[j] = 0;
  for (; j < end; j += VL) store(row + j, vf{});
}

// sums[j] += Σ over the block's rows of tile[r][j]·rows[r], allowed cells alone when `careful`.
static void add_to_keys(const backward_state& f, float* sums, const float* tile, const float* rows_packed, i64 i,
                        i64 rows, const group_ranges& groups, i64 begin, i64 end, i64 width, bool careful) {
  const i64 step = sum_width(width);
  for (i64 j = begin; j < end && !careful; j += tile_rows) {
    const auto [r0, r1] = rows_with(groups, j, min_of(end, j + tile_rows), rows);
    for (i64 d = 0; d < width && r0 < r1; d += tile_columns)
      multiply<1, tile_pitch, tile_add>((int)min_of(tile_rows, end - j), min_of(tile_columns, width - d), sums + j * step + d,
                                        step, tile + r0 * tile_pitch + j,
                                        rows_packed + d / width_block * row_tile * tile_pitch + d % width_block + r0 * tile_pitch,
                                        tile_pitch, r1 - r0);
  }
  for (i64 j = begin; j < end && careful; j++)
    for (i64 d = 0; d < width; d += VL) {
      const float* x = rows_packed + d / width_block * row_tile * tile_pitch + d % width_block;
      vf total{};
      for (i64 r = 0; r < rows; r++)
        if (takes_part(f, i + r, j, tile[r * tile_pitch + j]))
          total = fma(splat(tile[r * tile_pitch + j]), load(x + r * tile_pitch), total);
      store(sums + j * step + d, load(sums + j * step + d) + total);
    }
}

static const float* pack_block(const view& x, const backward_state& f, float* packed, i64 i, i64 rows, i64 width) {
  const float* x_i = head(x, f.b, f.h) + i * x.stride[2];
  pack_rows(packed, row_tile, x_i, x.stride[2], x.stride[3], rows, width);
  return x_i;
}

// The rows of one group: p, ds and dq.
static void backward_group(const call& c, backward_state& f, i64 i, i64 r, int rows, key_range keys, bool careful) {
  const attention_problem& p = *f.p;
  score_tile(f.p_tile + r * tile_pitch, f.q_rows + r * tile_pitch, row_tile, f.k_panels, rows, keys.begin, keys.end, p.D);
  score_tile(f.ds_tile + r * tile_pitch, f.dout_rows + r * tile_pitch, row_tile, f.v_panels, rows, keys.begin, keys.end,
             p.Dv);
  for (int x = 0; x < rows; x++) {
    float *p_row = f.p_tile + (r + x) * tile_pitch, *ds_row = f.ds_tile + (r + x) * tile_pitch;
    const score_row row = score_row_of(p, f.b, f.h, i + x, p_row, f.j0, keys.begin, keys.end);
    if (f.single) differentiate_recorded_row(c, f, row, i + x, ds_row);
    else if (f.columns.to || p.mass) differentiate_distant_row(c, f, row, i + x, ds_row);
    else differentiate_row<false, false>(c, f, row, i + x, ds_row);
  }
  if (!f.want_rows) return;
  multiply_keys(f, i, r, rows, keys.begin, keys.end, careful);
  add_dq(c, f, i, rows);
}

// Rows i … i+rows-1 of head f.h against the keys of the tile that some of them may attend.
static void backward_rows(const call& c, backward_state& f, i64 i, i64 rows, key_range keys) {
  using namespace attention_backward_f32_call;
  const attention_problem& p = *f.p;
  const i64 begin = (keys.begin - f.j0) / tile_columns * tile_columns, end = keys.end - f.j0;
  const view &vq = *p.q, &vdout = c.operand[o_dout];
  const float* q = pack_block(vq, f, f.q_rows, i, rows, p.D);
  const float* dout = pack_block(vdout, f, f.dout_rows, i, rows, p.Dv);
  const bool partly = partly_forbidden(p, f.b, i, i + rows - 1, f.j0, begin, end);
  group_ranges groups{};
  for (i64 r = 0; r < rows; r += tile_rows) {
    const int count = (int)min_of(tile_rows, rows - r);
    const key_range live = live_keys(p, {f.b, f.h, f.h + 1, i + r, i + r + count - 1}, keys);
    const key_range computed = live.begin < live.end
        ? key_range{(live.begin - f.j0) / tile_columns * tile_columns, live.end - f.j0} : key_range{begin, begin};
    groups.keys[groups.count++] = computed;
    if (computed.begin < computed.end) backward_group(c, f, i + r, r, count, computed, partly && !f.finite_keys);
    for (i64 x = r; x < r + count && f.want_keys; x++) {
      clear_outside(f.p_tile + x * tile_pitch, computed, begin, end);
      clear_outside(f.ds_tile + x * tile_pitch, computed, begin, end);
    }
  }
  if (!f.want_keys) return;
  const bool careful_q = partly && not_finite(q, vq.stride[2], vq.stride[3], rows, p.D);
  const bool careful_dout = partly && not_finite(dout, vdout.stride[2], vdout.stride[3], rows, p.Dv);
  add_to_keys(f, f.dk, f.ds_tile, f.q_rows, i, rows, groups, begin, end, p.D, careful_q);
  add_to_keys(f, f.dv, f.p_tile, f.dout_rows, i, rows, groups, begin, end, p.Dv, careful_dout);
}
