// attention_backward_f32: gradients of attention_forward_f32, recomputing p from lse; never an L×S buffer.
//
// dq [B,H,L,D], dk [B,G,S,D], dv [B,G,S,Dv], dbias [B,H,L,S] or none; dout and out [B,H,L,Dv], lse [B,H,L], dlse
// [B,H,L] or none, dstatistics and statistics [·,B,H,L] or none, and the forward's operands; any strides. `=`. Outputs overlap no input.
//
//   p = e^(s - lse)   δ = Σ dout·out   ds = p·(drop(dout·vᵀ) - δ)   dv = drop(p)ᵀ·dout
//   with dlse or dstatistics a term joins the bracket of ds: attention_statistics_gradient.inl.h
//   dbias = ds        dq = scale·(ds·slope)·k      dk = scale·(ds·slope)ᵀ·q      slope: derivative of the softcap; a score
//   program stands before it, and has dcaptured [K] of its own: attention_program.inl.h
//
// Passes: for each tile of key_block keys (k and v packed), each head of its group and each block of row_tile query
// rows (q and dout packed): scores and dout·vᵀ by the register tile → p and ds in two tiles → dq += ds·k into the output,
// dk and dv into sums that stay with the tile. With enough heads a task is one (b, g) and does it all at once; with few,
// one run over key tiles gives dk, dv and a second over blocks of rows gives dq. Either way dq adds key tiles in
// ascending order and dk, dv add heads, then rows, in ascending order: the same bits (N11).
//
// Numerics: N3. A forbidden cell has p = ds = 0 by selection; where k, q or dout of a tile is not finite and cells are
// forbidden, the products skip those cells (N14–N16).
//
// Speed, share of the FMA peak measured in the same run, one thread of a Zen 4 shared with other work, H 12, L 2048, D 64
// (10·H·L²·D operations, halved when causal): AVX-512 51 % dense and causal; 128-bit 45 %. Words of 12 letters, D 32:
// 3.7 µs a head. The run in two halves computes scores twice: 7 products instead of 5.
#pragma once

#include "attention_tile_gradient.inl.h"

struct backward_plan {
  attention_problem p;
  i64 rows;            // of a task in the run over rows
  i64 items_per_task;
  i64 items;
  i64 scratch_floats;
  float* deltas;       // [B·H·L]
  relative_sums columns;
  captured_units units;
};

// Columns d … d+VL-1 of `count` rows, one row a lane.
static void load_columns(const float* row, i64 row_stride, i64 column_stride, i64 d, i64 width, int count,
                         vf (&columns)[VL]) {
  if (column_stride != 1 || d + VL > width || count < VL) {
    for (int x = 0; x < VL && d + x < width; x++)
      columns[x] = load_strided(row + (d + x) * column_stride, row_stride, count);
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < VL; r++) columns[r] = load(row + r * row_stride + d);
  transpose(columns);
}

// drelative of one head from its parts.
static void parts_task(const call&, i64 bh, int, void* state) {
  const backward_plan& plan = *static_cast<const backward_plan*>(state);
  add_parts(plan.p, plan.columns, bh);
}

// δ of VL rows a task, one row a lane: the products of a row are added in the order of score_tile, so that δ is dout·vᵀ
// where all weight lies on one key and ds is 0 there.
static void deltas_task(const call& c, i64 index, int, void* state) {
  using namespace attention_backward_f32_call;
  const backward_plan& plan = *static_cast<const backward_plan*>(state);
  const attention_problem& p = plan.p;
  const view &dout = c.operand[o_dout], &out = c.operand[o_out];
  const i64 blocks = (p.L + VL - 1) / VL, bh = index / blocks, i = index % blocks * VL;
  const int count = (int)min_of(VL, p.L - i);
  const float* dout_i = head(dout, bh / p.H, bh % p.H) + i * dout.stride[2];
  const float* out_i = head(out, bh / p.H, bh % p.H) + i * out.stride[2];
  vf total{}, part{}, a[VL], b[VL];
  for (i64 d = 0; d < p.Dv; d += VL) {
    load_columns(dout_i, dout.stride[2], dout.stride[3], d, p.Dv, count, a);
    load_columns(out_i, out.stride[2], out.stride[3], d, p.Dv, count, b);
    for (int x = 0; x < min_of(VL, p.Dv - d); x++) part = fma(a[x], b[x], part);
    if ((d + VL) % score_chain != 0 && d + VL < p.Dv) continue;
    total = d < score_chain ? part : total + part;
    part = vf{};
  }
  if (p.mass) total += mass_products(c, bh / p.H, bh % p.H, i, count);
  store_partial(plan.deltas + bh * p.L + i, total, count);
}

// One head after the other, one tile after the other, over the rows [f.i0, f.i1) of heads [h0, h1).
static void backward_tile(const call& c, backward_state& f, i64 j0, i64 h0, i64 h1) {
  const attention_problem& p = *f.p;
  f.j0 = j0;
  f.keys = min_of(key_block, p.S - j0);
  const key_range tile{j0, j0 + f.keys};
  bool packed = false;
  if (f.want_keys) clear_tile_sums(c, f);
  for (f.h = h0; f.h < h1; f.h++)
    for (i64 i = f.i0; i < f.i1; i += row_tile) {
      const block_rows rows = live_rows(p.blocks, {f.b, f.h, f.h + 1, i, min_of(f.i1, i + row_tile) - 1}, tile);
      if (rows.last < rows.first) continue;
      const key_range keys = live_keys(p, rows, tile);
      if (keys.end <= keys.begin) continue;
      if (!packed) pack_tile_keys(f);
      packed = true;
      backward_rows(c, f, rows.first, rows.last - rows.first + 1, keys);
    }
  if (f.want_keys) write_tile_sums(c, f);
}

static void backward_item(const call& c, backward_state& f, i64 first_tile, i64 past_tile, i64 h0, i64 h1) {
  for (i64 tile = first_tile; tile < past_tile; tile++) backward_tile(c, f, tile * key_block, h0, h1);
}

static i64 key_tiles(const attention_problem& p) { return (p.S + key_block - 1) / key_block; }

static void whole_group_task(const call& c, i64 index, int worker, void* state) {
  const backward_plan& plan = *static_cast<const backward_plan*>(state);
  const attention_problem& p = plan.p;
  const i64 end = min_of(plan.items, (index + 1) * plan.items_per_task), heads = p.H / p.G;
  for (i64 item = index * plan.items_per_task; item < end; item++) {
    backward_state f = backward_state_of(c, p, worker, plan.scratch_floats, item / p.G, item % p.G, true, true);
    f.deltas = plan.deltas, f.columns = plan.columns, f.units = &plan.units;
    clear_dq(c, f, f.g * heads, (f.g + 1) * heads);
    backward_item(c, f, 0, key_tiles(p), f.g * heads, (f.g + 1) * heads);
  }
}

static void keys_task(const call& c, i64 index, int worker, void* state) {
  const backward_plan& plan = *static_cast<const backward_plan*>(state);
  const attention_problem& p = plan.p;
  const i64 tiles = key_tiles(p), group = index / tiles, tile = index % tiles, heads = p.H / p.G;
  backward_state f = backward_state_of(c, p, worker, plan.scratch_floats, group / p.G, group % p.G, true, false);
  f.deltas = plan.deltas, f.columns = plan.columns, f.units = &plan.units;
  backward_item(c, f, tile, tile + 1, f.g * heads, (f.g + 1) * heads);
}

static void rows_task(const call& c, i64 index, int worker, void* state) {
  const backward_plan& plan = *static_cast<const backward_plan*>(state);
  const attention_problem& p = plan.p;
  const i64 heads = p.B * p.H, blocks = (p.L + plan.rows - 1) / plan.rows;
  const i64 bh = index % heads, block = blocks - 1 - index / heads, h = bh % p.H;
  backward_state f = backward_state_of(c, p, worker, plan.scratch_floats, bh / p.H, h / (p.H / p.G), false, true);
  f.deltas = plan.deltas, f.columns = plan.columns;
  f.i0 = block * plan.rows, f.i1 = min_of(p.L, f.i0 + plan.rows);
  clear_dq(c, f, h, h + 1);
  backward_item(c, f, 0, key_tiles(p), h, h + 1);
}

static void run_groups(const call& c, backward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 worthwhile = 1 << 17;  // multiplications
  plan.items = p.B * p.G;
  plan.items_per_task = max_of(1, worthwhile / max_of(1, p.H / p.G * p.L * p.S * (3 * p.D + 2 * p.Dv)));
  c.parallel(c, (plan.items + plan.items_per_task - 1) / plan.items_per_task, whole_group_task, &plan);
}

static void run_split(const call& c, backward_plan& plan) {
  const attention_problem& p = plan.p;
  c.parallel(c, p.B * p.G * key_tiles(p), keys_task, &plan);
  c.parallel(c, p.B * p.H * ((p.L + plan.rows - 1) / plan.rows), rows_task, &plan);
}

// Units of captured values; their sums lie behind the deltas. False when they are too many.
static bool plan_units(const call& c, backward_plan& plan) {
  const attention_problem& p = plan.p;
  const view& to = c.operand[attention_backward_f32_call::o_dcaptured];
  captured_units& units = plan.units;
  units = {};
  if (!to.data) return true;
  const i64 groups = p.B * p.G, tiles = key_tiles(p), few = 1 << 22, most = 1ll << 40;
  units.size = to.size[0];
  units.of_tiles = groups * tiles <= few / max_of(1, units.size);
  units.count = groups * (units.of_tiles ? tiles : min_of(1, tiles));
  return units.count <= most / max_of(1, units.size);
}

constexpr i64 captured_chunk = 4096;

// dcaptured = the sums of all units, in ascending order.
static void captured_task(const call& c, i64 index, int, void* state) {
  const captured_units& units = static_cast<const backward_plan*>(state)->units;
  const view& to = c.operand[attention_backward_f32_call::o_dcaptured];
  const i64 end = min_of(units.size, (index + 1) * captured_chunk);
  for (i64 x = index * captured_chunk; x < end; x += VL) {
    const int count = (int)min_of(VL, end - x);
    vf total{};
    for (i64 unit = 0; unit < units.count; unit++) total += load_partial(units.sums + unit * units.size + x, count);
    store_strided(static_cast<float*>(to.data) + x * to.stride[0], to.stride[0], total, count);
  }
}

static void run_heads(const call& c, backward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 groups = p.B * p.G;
  const bool whole_heads = plan.units.sums && !plan.units.of_tiles;
  c.parallel(c, p.B * p.H * ((p.L + VL - 1) / VL), deltas_task, &plan);
  if (whole_heads || c.threads == 1 || groups % c.threads == 0 || groups >= 4 * c.threads) run_groups(c, plan);
  else run_split(c, plan);
}

static int attention_backward_f32(const call& c) {
  using namespace attention_backward_f32_call;
  backward_plan plan{};
  plan.p = read_problem(c, o_q, o_k, o_v, o_mask, o_bias, o_lengths);
  const attention_problem& p = plan.p;
  read_relative(plan.p, c, o_relative);
  plan.p.sinks = given(c, o_sinks), plan.p.mass = given(c, o_drelativeMass);
  if (bad_problem(p) || bad_distances(c)) return bad_scalar;
  if (int code = check_blocks(c, o_blocks, o_patterns, p.L, p.S)) return code;
  plan.p.blocks = read_blocks(c, o_blocks, o_patterns);
  if (c.operand[o_dstatistics].data && !c.operand[o_statistics].data) return bad_scalar;
  if (!(c.scalar[s_dropoutRate] >= 0 && c.scalar[s_dropoutRate] < 1)) return bad_scalar;
  read_dropout(plan.p, c.scalar[s_dropoutRate], c.scalar[s_seed], c.scalar[s_stream]);
  score_program program;
  const bool captured_wanted = c.operand[o_dcaptured].data;
  if (!take_program(plan.p, program, c, o_program, o_captured, captured_wanted)) return bad_program;
  plan.scratch_floats = backward_scratch_floats(p);
  if (!plan_units(c, plan)) return out_of_memory;
  plan.columns.to = given(c, o_drelative);
  const bool rows_share = plan.columns.to && plan.columns.to->size[2] == 1;
  plan.rows = 8 * row_tile;  // and of a part where rows share a table
  if (rows_share) plan.rows = max_of(plan.rows, round_up((p.L + 7) / 8, row_tile));
  plan.columns.rows = plan.rows;
  const i64 column_floats = relative_sums_floats(p, plan.columns.to, plan.rows);
  const i64 deltas = p.B * p.H * p.L, sums = plan.units.count * plan.units.size;
  float* first = static_cast<float*>(c.scratch(c, 0, (plan.scratch_floats + deltas + sums + column_floats) * 4));
  if (!first) return out_of_memory;
  plan.deltas = first + plan.scratch_floats;
  if (captured_wanted) plan.units.sums = plan.deltas + deltas;
  if (column_floats) plan.columns.parts = plan.deltas + deltas + sums;
  for (int worker = 1; worker < c.threads; worker++)
    if (!c.scratch(c, worker, plan.scratch_floats * 4)) return out_of_memory;
  if (p.B * p.G > 0) run_heads(c, plan);
  if (captured_wanted) c.parallel(c, (plan.units.size + captured_chunk - 1) / captured_chunk, captured_task, &plan);
  if (rows_share && p.B * p.H > 0) c.parallel(c, p.B * p.H, parts_task, &plan);
  if (c.operand[o_dsinks].data && p.H > 0) c.parallel(c, p.H, sinks_task, plan.deltas);
  return ok;
}
