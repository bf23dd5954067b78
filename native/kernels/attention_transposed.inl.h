// attention_transposed_f32: the weights' transpose times r, recomputing p from lse; never an L×S buffer.
//
// out [B,H,S,C]; r [B,H,L,C], q [B,H,L,D], k [B,G,S,D], lse [B,H,L], mask and bias [B,H,L,S] or none, lengths [B] or
// none, relative [B,H,L,U] or none, blocks and patterns or none; any strides. `=`. out overlaps no input.
//
//   p = e^(s - lse)   out_jc = Σ_i p_ij·r_ic
//
// Passes: a task owns key_block keys of one head (k packed) and its sums [C][tile_pitch]; per block of tile_rows query
// rows that may attend to them (q and r packed): scores by the register tile → p in place → sums += rᵀ·p, keys in the
// vectors, so that one column costs one row of the register tile. Rows come in ascending order whatever the threads
// (N11); blocks that causality, window, lengths or the map of blocks forbid are skipped.
//
// Numerics: N4 for p. A forbidden cell has p = 0 by selection; where r of a block is not finite and cells are forbidden,
// the product skips those cells (N14, N15).
#pragma once

#include "attention_problem.inl.h"

struct transposed_state {
  const attention_problem* p;
  i64 b, h;
  i64 j0, keys;     // the tile
  i64 C;            // columns of r
  float* q_rows;    // [pieces][tile_rows][tile_pitch]
  float* r_rows;    // the same of r
  float* k_panels;  // [panels][D][tile_columns]
  float* tile;      // [tile_rows][tile_pitch]: scores, then p
  float* sums;      // [C][tile_pitch]
  float* slots;     // of a score program for one row
};

static i64 transposed_scratch_floats(const attention_problem& p, i64 C) {
  return packed_rows_floats(tile_rows, p.D) + packed_rows_floats(tile_rows, C) + key_block * p.D +
         (tile_rows + C) * tile_pitch + program_floats(p.program, tile_pitch) + 64;
}

static transposed_state transposed_state_of(const call& c, const attention_problem& p, int worker, i64 C) {
  transposed_state f{};
  f.p = &p, f.C = C;
  f.q_rows = static_cast<float*>(c.scratch(c, worker, transposed_scratch_floats(p, C) * 4));
  f.r_rows = f.q_rows + packed_rows_floats(tile_rows, p.D);
  f.k_panels = f.r_rows + packed_rows_floats(tile_rows, C);
  f.tile = f.k_panels + key_block * p.D;
  f.sums = f.tile + tile_rows * tile_pitch;
  f.slots = f.sums + C * tile_pitch;
  return f;
}

// Lanes j … j+count-1 of row i that are allowed, the definition asked cell by cell.
static vi allowed_cells(const transposed_state& f, i64 i, i64 j, i64 count) {
  vi allowed{};
  for (i64 lane = 0; lane < count; lane++) allowed[lane] = allowed_cell(*f.p, f.b, f.h, i, f.j0 + j + lane) ? -1 : 0;
  return allowed;
}

// sums[column] += Σ over the block's rows i … of r[column]·p, allowed cells alone.
static void add_carefully(const transposed_state& f, i64 i, i64 rows, i64 begin, i64 end, const float* r, float* sums) {
  for (i64 j = begin; j < end; j += VL) {
    vf total{};
    for (i64 x = 0; x < rows; x++) {
      const vf p = load(f.tile + x * tile_pitch + j);
      vi allowed = allowed_cells(f, i + x, j, min_of(VL, end - j));
      if (f.p->program) allowed &= p != vf{};
      total = select(allowed, fma(splat(r[x * tile_pitch]), p, total), total);
    }
    store(sums + j, load(sums + j) + total);
  }
}

// sums += rᵀ·p of rows i … i+rows-1, keys [begin, end) of the tile.
static void add_received(const transposed_state& f, i64 i, i64 rows, i64 begin, i64 end, bool careful) {
  for (i64 column = 0; column < f.C;) {
    const i64 within = column % width_block, count = min_of(tile_rows, min_of(width_block - within, f.C - column));
    const float* r = f.r_rows + column / width_block * tile_rows * tile_pitch + within;
    float* sums = f.sums + column * tile_pitch;
    for (i64 x = 0; x < count && careful; x++) add_carefully(f, i, rows, begin, end, r + x, sums + x * tile_pitch);
    for (i64 j = begin; j < end && !careful; j += tile_columns)
      multiply<1, tile_pitch, tile_add>((int)count, min_of(tile_columns, end - j), sums + j, tile_pitch, r, f.tile + j,
                                        tile_pitch, rows);
    column += count;
  }
}

// tile: scores of rows i … i+rows-1 → p.
static void weigh_rows(const call& c, const transposed_state& f, i64 i, i64 rows, i64 begin, i64 end) {
  const view& lse = c.operand[attention_transposed_f32_call::o_lse];
  for (i64 x = 0; x < rows; x++) {
    score_row row = score_row_of(*f.p, f.b, f.h, i + x, f.tile + x * tile_pitch, f.j0, begin, end);
    row.run.values = f.slots;
    finish_scores(*f.p, row);
    const float lse_i = head(lse, f.b, f.h)[(i + x) * lse.stride[2]];
    for (i64 j = begin; j < end; j += VL) store(row.s + j, probability(load(row.s + j), lse_i));
  }
}

// Rows i … i+rows-1 against the tile.
static void transposed_rows(const call& c, const transposed_state& f, i64 i, i64 rows) {
  const attention_problem& p = *f.p;
  const key_range keys = live_keys(p, {f.b, f.h, f.h + 1, i, i + rows - 1}, {f.j0, f.j0 + f.keys});
  if (keys.end <= keys.begin) return;
  const i64 begin = (keys.begin - f.j0) / tile_columns * tile_columns, end = keys.end - f.j0;
  const view &q = *p.q, &r = c.operand[attention_transposed_f32_call::o_r];
  const float* r_i = head(r, f.b, f.h) + i * r.stride[2];
  pack_rows(f.q_rows, tile_rows, head(q, f.b, f.h) + i * q.stride[2], q.stride[2], q.stride[3], rows, p.D);
  pack_rows(f.r_rows, tile_rows, r_i, r.stride[2], r.stride[3], rows, f.C);
  score_tile(f.tile, f.q_rows, tile_rows, f.k_panels, (int)rows, begin, end, p.D);
  weigh_rows(c, f, i, rows, begin, end);
  const bool partly = partly_forbidden(p, f.b, i, i + rows - 1, f.j0, begin, end);
  add_received(f, i, rows, begin, end, partly && not_finite(r_i, r.stride[2], r.stride[3], rows, f.C));
}

static void write_received(const call& c, const transposed_state& f) {
  const view& to = c.operand[attention_transposed_f32_call::o_out];
  float* out = head(to, f.b, f.h) + f.j0 * to.stride[2];
  for (i64 column = 0; column < f.C; column++)
    for (i64 j = 0; j < f.keys; j += VL)
      store_strided(out + j * to.stride[2] + column * to.stride[3], to.stride[2], load(f.sums + column * tile_pitch + j),
                    (int)min_of(VL, f.keys - j));
}

static i64 transposed_tiles(const attention_problem& p) { return (p.S + key_block - 1) / key_block; }

static void transposed_task(const call& c, i64 index, int worker, void* state) {
  const attention_problem& p = *static_cast<const attention_problem*>(state);
  const i64 tiles = transposed_tiles(p), bh = index / tiles;
  transposed_state f = transposed_state_of(c, p, worker, c.operand[attention_transposed_f32_call::o_r].size[3]);
  f.b = bh / p.H, f.h = bh % p.H, f.j0 = index % tiles * key_block, f.keys = min_of(key_block, p.S - f.j0);
  const view& k = *p.k;
  pack_keys(f.k_panels, head(k, f.b, f.h / (p.H / p.G)) + f.j0 * k.stride[2], k.stride[2], k.stride[3], f.keys, p.D);
  for (i64 x = 0; x < f.C * tile_pitch; x += VL) store(f.sums + x, vf{});
  for (i64 i = 0; i < p.L; i += tile_rows) transposed_rows(c, f, i, min_of(tile_rows, p.L - i));
  write_received(c, f);
}

static int attention_transposed_f32(const call& c) {
  using namespace attention_transposed_f32_call;
  attention_problem p = read_problem(c, o_q, o_k, o_k, o_mask, o_bias, o_lengths);
  read_relative(p, c, o_relative);
  if (bad_problem(p)) return bad_scalar;
  if (int code = check_blocks(c, o_blocks, o_patterns, p.L, p.S)) return code;
  p.blocks = read_blocks(c, o_blocks, o_patterns);
  score_program program;
  if (!take_program(p, program, c, o_program, o_captured)) return bad_program;
  const i64 floats = transposed_scratch_floats(p, c.operand[o_r].size[3]), tasks = p.B * p.H * transposed_tiles(p);
  for (int worker = 0; worker < c.threads; worker++)
    if (!c.scratch(c, worker, floats * 4)) return out_of_memory;
  if (tasks > 0) c.parallel(c, tasks, transposed_task, &p);
  return ok;
}
