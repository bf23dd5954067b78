// attention_forward_f32: fused attention, never an L×S buffer.
//
// out [B,H,L,Dv], lse [B,H,L], statistics [10,B,H,L] or none; q [B,H,L,D], k [B,G,S,D], v [B,G,S,Dv], mask and bias
// [B,H,L,S] or none, lengths [B] or none; any strides. `=`. Outputs overlap no input.
//
// Passes: a task owns a block of query rows of one head. It packs its rows once; then for each tile of key_block keys
// that some row may attend: pack k and v, and per group of tile_rows rows: scores (register tile) → scale, cap, bias,
// mask and row maximum → exp and sums → out = a·out + P·V, with a = e^(m_old - m_new), which is 1 unless the maximum
// grew. Panels of keys that no row of the group may attend are skipped. The statistics (attention_statistics.inl.h) read
// the same tile and change nothing in it (N17).
//
// Numerics: a row's bits depend on that row's keys alone (N11, N12): a forbidden key adds exactly 0, tiles are counted
// from key 0. Values of v that are not finite take a path that leaves forbidden keys out (N15). Measured: 1.3e-6 at worst
// over D <= 256 with softcap, bias and dropout mixed in.
//
// Speed, share of the FMA peak measured in the same run, one thread of a Zen 4 shared with other work, H 12, L 2048, D 64:
// AVX-512 60 % dense, 66 % causal (useful operations), 46 % boolean mask, 49 % bias; 128-bit 46 %. Words of 12 letters,
// D 32: 1.5 µs a head.
#pragma once

#include "attention_statistics.inl.h"

struct forward_plan {
  attention_problem p;
  i64 rows;             // of a task's block
  i64 blocks;           // per head
  i64 items;            // blocks over all heads
  i64 items_per_task;
  i64 scratch_floats;
};

// s[j] becomes w = e^(s - m), dropped where dropout says so; l = a·l + Σ w.
template <bool Record>
static void weigh_row(forward_state& f, const score_row& row, i64 i, float a, float m_old, float m) {
  const attention_problem& p = *f.p;
  row_sums& sums = f.sums[i - f.i0];
  const u32 key = p.dropout_threshold ? dropout_key(p, f.b, f.h, i) : 0;
  recorded<Record> record;
  record.begin(p, sums, row, i, a, m_old, m);
  vf l{};
  for (i64 j = row.begin; j < row.end; j += VL) {
    const vf x = load(row.s + j) - splat(m);
    vf w = vexp(x);
    l += w;
    record.add(row, j, x, w);
    if (p.dropout_threshold) w = drop(p, key, row.j0 + j, w);
    store(row.s + j, w);
  }
  store(sums.l, fma(splat(a), load(sums.l), l));
  record.end(sums);
}

// out = a·out + P·V for one row, over its allowed keys alone.
static void apply_careful(const forward_state& f, const score_row& row, i64 i, float a) {
  float* out = f.out + (i - f.i0) * f.v_width;
  for (i64 d = 0; d < f.v_width; d += VL) {
    vf sum{};
    for (i64 j = row.begin; j < row.end; j++)
      if (allowed_cell(*f.p, f.b, f.h, i, row.j0 + j))
        sum = fma(splat(row.s[j]), load(f.values + j * f.value_step + d), sum);
    store(out + d, fma(splat(a), load(out + d), sum));
  }
}

// New maxima and the factors that move the old sums to them. The maximum of a row without keys stays -inf, its shift 0.
static void raise_maxima(float* m, const float* tile_m, float* a, float* shift) {
  for (int r = 0; r < tile_rows; r += VL) {
    const vf old = load(m + r), raised = max(load(tile_m + r), old);
    store(a + r, select(raised == old, splat(1.0f), vexp(old - raised)));
    store(shift + r, select(raised == splat(-infinity), vf{}, raised));
    store(m + r, raised);
  }
}

// Rows i … i+rows-1 of the block against one tile.
static void forward_group(forward_state& f, const forward_tile& t, i64 i, int rows) {
  const attention_problem& p = *f.p;
  const key_range keys = keys_of(p, f.b, i, i + rows - 1);
  const i64 begin = max_of(0, keys.begin - t.j0) / tile_columns * tile_columns, end = min_of(t.keys, keys.end - t.j0);
  if (end <= begin) return;
  const i64 r0 = i - f.i0;
  score_tile(f.tile, f.q_rows + r0 * tile_pitch, f.rows, f.k_panels, rows, begin, end, p.D);
  constexpr int lanes_of_rows = (tile_rows + VL - 1) / VL * VL;
  float m[lanes_of_rows], tile_m[lanes_of_rows], a[lanes_of_rows], shift[lanes_of_rows];
  for (int r = 0; r < lanes_of_rows; r++) m[r] = tile_m[r] = -infinity;
  score_row row[tile_rows];
  for (int r = 0; r < rows; r++) {
    row[r] = score_row_of(p, f.b, f.h, i + r, f.tile + r * tile_pitch, t.j0, begin, end);
    const row_summary summary = finish_scores(p, row[r]);
    tile_m[r] = summary.largest;
    f.keys[r0 + r] += (float)summary.keys;
    m[r] = f.m[r0 + r];
  }
  const float* m_old = f.m + r0;
  raise_maxima(m, tile_m, a, shift);
  for (int r = 0; r < rows; r++) {
    if (f.record) weigh_row<true>(f, row[r], i + r, a[r], m_old[r], shift[r]);
    else weigh_row<false>(f, row[r], i + r, a[r], m_old[r], shift[r]);
    f.m[r0 + r] = m[r];
  }
  if (f.careful)
    for (int r = 0; r < rows; r++) apply_careful(f, row[r], i + r, a[r]);
  else
    for (i64 d = 0; d < f.v_width; d += tile_columns)
      multiply<tile_pitch, 1, tile_rescale>(rows, min_of(tile_columns, f.v_width - d), f.out + r0 * f.v_width + d,
                                            f.v_width, f.tile + begin, f.values + begin * f.value_step + d,
                                            f.value_step, end - begin, a);
}

// out = (1/l)·out, lse = m + ln l; zeros and -inf where no key was allowed.
static void finish_rows(const call& c, forward_state& f) {
  using namespace attention_forward_f32_call;
  const attention_problem& p = *f.p;
  const view& to = c.operand[o_out];
  const view& lse_view = c.operand[o_lse];
  float* out = head(to, f.b, f.h) + f.i0 * to.stride[2];
  float* lse = head(lse_view, f.b, f.h) + f.i0 * lse_view.stride[2];
  for (i64 r0 = 0; r0 < f.i1 - f.i0; r0 += VL) {
    const int count = (int)min_of(VL, f.i1 - f.i0 - r0);
    float l[VL]{}, log_l[VL];
    for (int r = 0; r < count; r++) l[r] = sum(load(f.sums[r0 + r].l));
    store(log_l, vlog(load(l)));
    for (int r = 0; r < count; r++) {
      const bool empty = f.keys[r0 + r] == 0;
      const vf scale = splat(empty ? 0.0f : 1.0f / l[r]);
      for (i64 d = 0; d < p.Dv; d += VL) {
        const vf x = fma(load(f.out + (r0 + r) * f.v_width + d), scale, vf{});  // the sum with 0 turns -0 into 0
        store_strided(out + (r0 + r) * to.stride[2] + d * to.stride[3], to.stride[3], x, (int)min_of(VL, p.Dv - d));
      }
      lse[(r0 + r) * lse_view.stride[2]] = empty ? -infinity : f.m[r0 + r] + log_l[r];
      if (f.record) write_statistics(c, f, r0 + r, l[r], log_l[r]);
    }
  }
}

static void forward_block(const call& c, const forward_plan& plan, i64 item, float* scratch) {
  const attention_problem& p = plan.p;
  const i64 heads = p.B * p.H, bh = item % heads, block = plan.blocks - 1 - item / heads;  // longest causal rows first
  forward_state f{};
  f.p = &p, f.b = bh / p.H, f.h = bh % p.H, f.rows = plan.rows, f.v_width = round_up(p.Dv, VL);
  f.i0 = block * plan.rows, f.i1 = min_of(p.L, f.i0 + plan.rows);
  f.record = c.operand[attention_forward_f32_call::o_statistics].data;
  carve(f, scratch);
  clear_rows(f);
  const i64 g = f.h / (p.H / p.G);
  const float* k = head(*p.k, f.b, g);
  f.v = head(*p.v, f.b, g);
  pack_rows(f.q_rows, f.rows, head(*p.q, f.b, f.h) + f.i0 * p.q->stride[2], p.q->stride[2], p.q->stride[3], f.i1 - f.i0,
            p.D);
  const key_range keys = keys_of(p, f.b, f.i0, f.i1 - 1);
  for (i64 j0 = keys.begin / key_block * key_block; j0 < keys.end; j0 += key_block) {
    const forward_tile t{j0, min_of(key_block, keys.end - j0)};
    pack_keys(f.k_panels, k + j0 * p.k->stride[2], p.k->stride[2], p.k->stride[3], t.keys, p.D);
    pack_values(f, t, partly_forbidden(p, f.b, f.i0, f.i1 - 1, j0, 0, t.keys));
    for (i64 i = f.i0; i < f.i1; i += tile_rows) forward_group(f, t, i, (int)min_of(tile_rows, f.i1 - i));
  }
  finish_rows(c, f);
}

static void forward_task(const call& c, i64 index, int worker, void* state) {
  const forward_plan& plan = *static_cast<const forward_plan*>(state);
  float* scratch = static_cast<float*>(c.scratch(c, worker, plan.scratch_floats * 4));
  const i64 end = min_of(plan.items, (index + 1) * plan.items_per_task);
  for (i64 item = index * plan.items_per_task; item < end; item++) forward_block(c, plan, item, scratch);
}

// Blocks shrink while there are too few for the threads; small heads are grouped. Neither changes a bit.
static void plan_forward(const call& c, forward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 heads = p.B * p.H, worthwhile = 1 << 18;  // multiplications, ~20 µs
  plan.rows = min_of(query_block, round_up(p.L, tile_rows));
  while (c.threads > 1 && plan.rows > 4 * tile_rows && heads * ((p.L + plan.rows - 1) / plan.rows) < 3 * c.threads)
    plan.rows = round_up(plan.rows / 2, tile_rows);
  plan.blocks = (p.L + plan.rows - 1) / plan.rows;
  plan.items = heads * plan.blocks;
  plan.items_per_task = max_of(1, worthwhile / max_of(1, plan.rows * p.S * (p.D + p.Dv)));
  plan.scratch_floats = forward_scratch_floats(p, plan.rows);
}

static int attention_forward_f32(const call& c) {
  using namespace attention_forward_f32_call;
  forward_plan plan{};
  plan.p = read_problem(c, o_q, o_k, o_v, o_mask, o_bias, o_lengths);
  if (bad_problem(plan.p)) return bad_scalar;
  if (!(c.scalar[s_dropoutRate] >= 0 && c.scalar[s_dropoutRate] < 1)) return bad_scalar;
  read_dropout(plan.p, c.scalar[s_dropoutRate], c.scalar[s_seed], c.scalar[s_stream]);
  if (plan.p.B * plan.p.H * plan.p.L == 0) return ok;
  plan_forward(c, plan);
  for (int worker = 0; worker < c.threads; worker++)
    if (!c.scratch(c, worker, plan.scratch_floats * 4)) return out_of_memory;
  c.parallel(c, (plan.items + plan.items_per_task - 1) / plan.items_per_task, forward_task, &plan);
  return ok;
}
