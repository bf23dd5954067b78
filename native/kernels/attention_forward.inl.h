// attention_forward_f32: fused attention, never an L×S buffer.
//
// out [B,H,L,Dv], lse [B,H,L], statistics [16,B,H,L] or none; q [B,H,L,D], k [B,G,S,D], v [B,G,S,Dv], mask and bias
// [B,H,L,S] or none, lengths [B] or none; any strides. `=`. Outputs overlap no input.
//
// Passes: a task owns a block of query rows, of all heads that share a key head. It packs its rows once; then for each
// tile of forward_keys keys that some row may attend: pack k and v, and per group of tile_rows rows: scores (register tile) →
// mask, bias, softcap where in use → row maximum → exponentials and their sums → out = a·out + P·V, with a = 1 unless the
// maximum grew. Panels of keys that no row of the group may attend are skipped. The record reads the same tile and changes
// nothing in it (N17).
#pragma once

#include "attention_strip.inl.h"

struct forward_plan {
  attention_problem p;
  strip_outputs kept;
  i64 queries;          // of a block
  i64 parts;            // runs of blocks that follow each other, per key head
  i64 items;            // parts over all key heads
  i64 items_per_task;
  i64 block_floats;     // scratch of a block; the strip lies behind it
  i64 scratch_floats;
  float* received;      // [parts][B·H][S], or null
  bool record;
};

struct maximum_raised {
  float a;        // factor of the row's sums: 1 unless the maximum grew
  bool complete;  // the record wants to know: no score of the tile is -inf
};

// Raises the row's maximum to that of the tile and moves its sums there. NaN is passed over: it shows in the sums.
template <bool Record>
static maximum_raised raise_maximum(forward_state& f, const tile_row& row) {
  vf largest = splat(-infinity), lowest = splat(infinity);
  for (i64 j = row.begin; j < row.end; j += VL) {
    const vf s = load(row.s + j);
    largest = max(s, largest);
    if (Record) lowest = min(s, lowest);
  }
  const bool complete = Record && !any(lowest == splat(-infinity));
  if (Record) note_lowest(f, row, complete, lowest);
  const float old = f.m[row.r];
  if (!any(largest > splat(old))) return {1.0f, complete};
  const float m = maximum(largest), shift = (old - m) * f.unit;
  const float a = power_of_two(splat(shift))[0];
  float* l = f.l + row.r * VL;
  if (Record) move_record(f.record[row.r], l, shift, a);
  store(l, load(l) * splat(a));
  f.m[row.r] = m;
  return {a, complete};
}

// s[j] becomes w = 2^(unit·(s - m)), dropped where dropout says so; l += Σ w.
template <record_mode Mode>
static void weigh_row(forward_state& f, const tile_row& row) {
  const attention_problem& p = *f.p;
  const float m = f.m[row.r];
  const vf unit = splat(f.unit), largest = splat(m == -infinity ? 0.0f : m);
  const u32 key = p.dropout_threshold ? dropout_key(p, f.b, row.h, row.i) : 0;
  float* kept = f.kept ? keep_row(*f.kept, row, m) : nullptr;
  row_record<Mode> record(f, row);
  vf l{};
  for (i64 j = row.begin; j < row.end; j += VL) {
    const vf x = (load(row.s + j) - largest) * unit;
    vf w = power_of_two(x);
    l += w;
    record.add(j, x, w, l);
    if (kept) store(kept + j, w);
    if (p.dropout_threshold) w = drop(p, key, row.j0 + j, w);
    store(row.s + j, w);
  }
  record.end(f, row, l);
  store(f.l + row.r * VL, load(f.l + row.r * VL) + l);
}

// Returns the factor of the row's sums.
static float softmax_row(forward_state& f, const tile_row& row) {
  prepare_row(f, row);
  if (!f.record) {
    const float a = raise_maximum<false>(f, row).a;
    weigh_row<unrecorded>(f, row);
    return a;
  }
  const maximum_raised raised = raise_maximum<true>(f, row);
  const record_mode mode = mode_of(f, row, raised.complete);
  if (mode == closely || row.j0 + row.begin == 0) watch_keys(f, row);
  if (mode == before) weigh_row<before>(f, row);
  else if (mode == after) weigh_row<after>(f, row);
  else weigh_row<closely>(f, row);
  return raised.a;
}

// out = a·out + P·V for one row, over its allowed keys alone.
static void apply_careful(const forward_state& f, const tile_row& row, float a) {
  float* out = f.out + row.r * f.v_width;
  for (i64 d = 0; d < f.v_width; d += VL) {
    vf sum{};
    for (i64 j = row.begin; j < row.end; j++)
      if (allowed_cell(*f.p, f.b, row.h, row.i, row.j0 + j))
        sum = fma(splat(row.s[j]), load(f.values + j * f.value_step + d), sum);
    store(out + d, fma(splat(a), load(out + d), sum));
  }
}

// Rows r0 … r0+rows-1 of the block against one tile.
static void forward_group(forward_state& f, const forward_tile& t, i64 r0, int rows) {
  const attention_problem& p = *f.p;
  const bool one_head = r0 / f.queries == (r0 + rows - 1) / f.queries;
  const i64 first = one_head ? query_of(f, r0) : f.i0, last = one_head ? first + rows - 1 : f.i0 + f.queries - 1;
  const key_range keys = keys_of(p, f.b, first, last);
  const i64 begin = max_of(0, keys.begin - t.j0) / tile_columns * tile_columns, end = min_of(t.keys, keys.end - t.j0);
  if (end <= begin) return;
  score_tile<forward_pitch>(f.tile, f.q_rows + r0 * tile_pitch, f.capacity, f.k_panels, rows, begin, end, p.D);
  float a[tile_rows];
  tile_row row[tile_rows];
  for (int r = 0; r < rows; r++) {
    row[r] = {f.tile + r * forward_pitch, t.j0, begin, end, r0 + r, head_of(f, r0 + r), query_of(f, r0 + r)};
    a[r] = softmax_row(f, row[r]);
  }
  if (f.careful)
    for (int r = 0; r < rows; r++) apply_careful(f, row[r], a[r]);
  else
    for (i64 d = 0; d < f.v_width; d += tile_columns)
      multiply<forward_pitch, 1, tile_rescale>(rows, min_of(tile_columns, f.v_width - d), f.out + r0 * f.v_width + d,
                                            f.v_width, f.tile + begin, f.values + begin * f.value_step + d,
                                            f.value_step, end - begin, a);
}

// out = out / l, lse = scale·m + ln l; zeros and -inf where no key was allowed.
static void finish_rows(const call& c, forward_state& f) {
  using namespace attention_forward_f32_call;
  const attention_problem& p = *f.p;
  const view &to = c.operand[o_out], &lse = c.operand[o_lse];
  const double scale = f.natural ? 1.0 : p.scale < 0 ? -p.scale : p.scale;
  for (i64 r0 = 0; r0 < f.rows; r0 += VL) {
    const int count = (int)min_of(VL, f.rows - r0);
    float l[VL]{}, log_l[VL];
    for (int r = 0; r < count; r++) l[r] = sum(load(f.l + (r0 + r) * VL));
    store(log_l, vlog(load(l)));
    for (int r = 0; r < count; r++) {
      const i64 h = head_of(f, r0 + r), i = query_of(f, r0 + r);
      const bool empty = f.keys[r0 + r] == 0;
      const vf factor = splat(empty ? 0.0f : 1.0f / l[r]);
      float* out = head(to, f.b, h) + i * to.stride[2];
      for (i64 d = 0; d < p.Dv; d += VL) {
        const vf x = fma(load(f.out + (r0 + r) * f.v_width + d), factor, vf{});  // the sum with 0 turns -0 into 0
        store_strided(out + d * to.stride[3], to.stride[3], x, (int)min_of(VL, p.Dv - d));
      }
      head(lse, f.b, h)[i * lse.stride[2]] = empty ? -infinity : (float)(scale * f.m[r0 + r] + log_l[r]);
      if (f.record) write_statistics(c, f, r0 + r, l[r], log_l[r]);
    }
  }
}

static forward_state open_block(const call& c, const forward_plan& plan, i64 bg, i64 i0, i64 i1, float* scratch) {
  using namespace attention_forward_f32_call;
  const attention_problem& p = plan.p;
  forward_state f{};
  f.p = &p, f.b = bg / p.G, f.g = bg % p.G, f.h0 = f.g * (p.H / p.G), f.i0 = i0, f.queries = i1 - i0;
  f.rows = p.H / p.G * f.queries, f.capacity = p.H / p.G * plan.queries, f.v_width = round_up(p.Dv, VL);
  f.natural = p.softcap > 0 || p.bias || p.scale == 0;
  f.unit = f.natural ? log2_e : (p.scale < 0 ? -p.scale : p.scale) * log2_e;
  f.window = whole(c.scalar[s_window]), f.set = given(c, o_set);
  f.v = head(*p.v, f.b, f.g);
  carve(f, scratch, plan.record);
  clear_rows(f);
  pack_queries(f);
  return f;
}

static void forward_block(const call& c, forward_state& f) {
  const attention_problem& p = *f.p;
  const float* k = head(*p.k, f.b, f.g);
  const i64 last = f.i0 + f.queries - 1;
  const key_range keys = keys_of(p, f.b, f.i0, last);
  for (i64 j0 = keys.begin / forward_keys * forward_keys; j0 < keys.end; j0 += forward_keys) {
    const forward_tile t{j0, min_of(forward_keys, keys.end - j0)};
    pack_keys(f.k_panels, k + j0 * p.k->stride[2], p.k->stride[2], p.k->stride[3], t.keys, p.D);
    pack_values(f, t, partly_forbidden(p, f.b, f.i0, last, j0, 0, t.keys));
    const i64 next = j0 + forward_keys, next_keys = max_of(0, min_of(forward_keys, keys.end - next));
    for (i64 r = 0; r < f.rows; r += tile_rows) {
      prefetch_tile(f, next, next_keys, r / tile_rows, (f.rows + tile_rows - 1) / tile_rows);
      forward_group(f, t, r, (int)min_of(tile_rows, f.rows - r));
    }
  }
  finish_rows(c, f);
}

// First query of a part. With a map of bins a part holds whole bins.
static i64 part_start(const forward_plan& plan, i64 part) {
  const i64 bins = plan.kept.bins;
  return bins ? bin_start(plan.p, bins, part * bins / plan.parts) : part * plan.p.L / plan.parts;
}

// A part that keeps its weights: its blocks one after the other, because their rows add up.
static void forward_kept(const call& c, const forward_plan& plan, i64 bg, i64 part, float* scratch) {
  const attention_problem& p = plan.p;
  strip s = carve_strip(p, plan.kept, p.H / p.G * plan.queries, scratch + plan.block_floats);
  s.received = plan.received;
  const i64 heads = p.H / p.G, bins = plan.kept.bins;
  for (i64 h = 0; h < heads; h++) {
    clear_column(s, h);
    clear_tiles(plan.kept, bg / p.G, bg % p.G * heads + h, part * bins / plan.parts, (part + 1) * bins / plan.parts);
  }
  const i64 start = part_start(plan, part), end = part_start(plan, part + 1);
  for (i64 i = start; i < end; i += plan.queries) {
    forward_state f = open_block(c, plan, bg, i, min_of(end, i + plan.queries), scratch);
    for (i64 r = 0; r < 2 * f.rows; r++) s.range[r] = 0;
    f.kept = &s;
    forward_block(c, f);
    read_strip(f, s, part, end);
  }
}

static void forward_task(const call& c, i64 index, int worker, void* state) {
  const forward_plan& plan = *static_cast<const forward_plan*>(state);
  const attention_problem& p = plan.p;
  const i64 end = min_of(plan.items, (index + 1) * plan.items_per_task);
  float* scratch = static_cast<float*>(c.scratch(c, worker, plan.scratch_floats * 4));
  for (i64 item = index * plan.items_per_task; item < end; item++) {
    const i64 bg = item / plan.parts, part = plan.parts - 1 - item % plan.parts;  // longest causal rows first
    if (plan.kept.wanted) {
      forward_kept(c, plan, bg, part, scratch);
      continue;
    }
    forward_state f = open_block(c, plan, bg, part * plan.queries, min_of(p.L, (part + 1) * plan.queries), scratch);
    forward_block(c, f);
  }
}

// received[b,h] = the sum of its parts.
static void received_task(const call&, i64 bh, int, void* state) {
  const forward_plan& plan = *static_cast<const forward_plan*>(state);
  const view& to = *plan.kept.received;
  const i64 S = plan.p.S, step = plan.p.B * plan.p.H * S;
  float* received = head(to, bh / plan.p.H, bh % plan.p.H);
  for (i64 j = 0; j < S; j++) {
    float total = 0;
    for (i64 part = 0; part < plan.parts; part++) total += plan.received[part * step + bh * S + j];
    received[j * to.stride[2]] = total;
  }
}

// Rows of a block: many, so that packing a tile pays; fewer while there are too few blocks for the threads. The choice
// changes no bit.
static i64 queries_of_block(const call& c, const forward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 groups = p.B * p.G, share = p.H / p.G;
  i64 rows = query_block;
  if (plan.kept.wanted) rows = max_of(tile_rows, min_of(rows, strip_floats_wanted / strip_pitch(p)));
  i64 queries = max_of(1, min_of(p.L, rows / share));
  if (queries > tile_rows) queries = queries / tile_rows * tile_rows;
  while (c.threads > 1 && queries > 4 * tile_rows && groups * ((p.L + queries - 1) / queries) < 3 * c.threads)
    queries = round_up(queries / 2, tile_rows);
  return queries;
}

// Small heads are grouped to a task. Parts that keep their weights are few, and depend on L alone.
static void plan_forward(const call& c, forward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 groups = p.B * p.G, share = p.H / p.G, worthwhile = 1 << 18;  // multiplications, ~20 µs
  plan.queries = queries_of_block(c, plan);
  plan.parts = (p.L + plan.queries - 1) / plan.queries;
  if (plan.kept.wanted) {
    const i64 most = plan.kept.bins ? min_of(plan.kept.bins, 8) : 8;
    plan.parts = max_of(1, min_of(most, p.L / 256));
  }
  plan.items = groups * plan.parts;
  plan.items_per_task = max_of(1, worthwhile / max_of(1, share * plan.queries * p.S * (p.D + p.Dv)));
  plan.block_floats = round_up(forward_scratch_floats(p, share * plan.queries, plan.record), VL);
  plan.scratch_floats = plan.block_floats + (plan.kept.wanted ? strip_scratch_floats(p, share * plan.queries) : 0);
}

// Scratch for every worker; behind that of the first, the sums of the parts.
static bool take_scratch(const call& c, forward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 received = plan.kept.received ? plan.parts * p.B * p.H * p.S : 0;
  float* first = static_cast<float*>(c.scratch(c, 0, (plan.scratch_floats + received) * 4));
  for (int worker = 1; worker < c.threads; worker++)
    if (!c.scratch(c, worker, plan.scratch_floats * 4)) return false;
  plan.received = first ? first + plan.scratch_floats : nullptr;
  for (i64 j = 0; first && j < received; j++) plan.received[j] = 0;
  return first;
}

static int attention_forward_f32(const call& c) {
  using namespace attention_forward_f32_call;
  forward_plan plan{};
  plan.p = read_problem(c, o_q, o_k, o_v, o_mask, o_bias, o_lengths);
  if (bad_problem(plan.p)) return bad_scalar;
  if (!(c.scalar[s_dropoutRate] >= 0 && c.scalar[s_dropoutRate] < 1)) return bad_scalar;
  read_dropout(plan.p, c.scalar[s_dropoutRate], c.scalar[s_seed], c.scalar[s_stream]);
  plan.record = c.operand[o_statistics].data;
  plan.kept = read_strip_outputs(c);
  if (!plan.kept.top_weights != !plan.kept.top_keys) return bad_scalar;
  if (plan.p.B * plan.p.H == 0 || (plan.p.L == 0 && !plan.kept.wanted)) return ok;
  plan_forward(c, plan);
  if (!take_scratch(c, plan)) return out_of_memory;
  c.parallel(c, (plan.items + plan.items_per_task - 1) / plan.items_per_task, forward_task, &plan);
  if (plan.kept.received) c.parallel(c, plan.p.B * plan.p.H, received_task, &plan);
  return ok;
}
