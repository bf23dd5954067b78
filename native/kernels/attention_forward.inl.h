// attention_forward_f32: fused attention, never an L×S buffer. docs/kernels/attention.md explains it step by step.
//
// out [B,H,L,Dv], lse [B,H,L]; the record, each part or none: statistics [16,B,H,L], received [B,H,S], tiles [B,H,P,P],
// topWeights and topKeys [B,H,L,T], zeroKeys [B,H,L]; q [B,H,L,D], k [B,G,S,D], v [B,G,S,Dv], mask and bias [B,H,L,S] or
// none, lengths [B] or none, relative [B,H,L,U] or none with relativeMass [B,H,L,U] for its weights, sinks [H] or none, set
// [B,S] or none, blocks and patterns or none; any strides. `=`. Outputs overlap no input.
//
// Passes: a task owns a block of query rows, of all heads that share a key head. It packs its rows once; then for each tile
// of forward_keys keys that some row may attend: pack k and v, and per group of tile_rows rows: scores (register tile) →
// mask, bias, softcap where in use → row maximum → exponentials and their sums → out = a·out + P·V, with a = 1 unless the
// maximum grew. Panels of keys that no row of the group may attend are skipped. The record reads the same tile and changes
// nothing in it (N17).
//
// Numerics: a row's bits depend on that row's keys alone, apart from L = 1 or not (N11, N12): a forbidden key adds exactly
// 0, tiles are counted from key 0. Values of v that are not finite take a path that leaves forbidden keys out (N15).
//
// Speed, share of the FMA peak measured in the same run, one thread of a Zen 4, H 12, L 2048, D 64: AVX-512 84 % dense, 78 %
// causal (useful operations), 63 % boolean mask, 60 % bias, 82 % padding; AVX2 77, 71, 52, 58 and 77 %; WebAssembly 68 %. The
// record takes 7 % more; everything 42 % dense and 56 % causal.
#pragma once

#include "attention_decode.inl.h"
#include "attention_strip.inl.h"

struct forward_plan {
  attention_problem p;
  strip_outputs kept;
  i64 queries;          // of a block
  i64 parts;            // blocks per key head; where weights are kept, runs of blocks
  i64 runs;             // of keys, each with sums of its own
  i64 items;            // runs of parts of key heads; where weights are kept, parts of key heads
  i64 items_per_task;
  i64 sums_floats, tile_floats;  // scratch of a block; the strip lies behind it
  i64 scratch_floats;   // of a worker
  float* received;      // [parts][B·H][S], or null
  float* sums;          // [items][sums_floats] when there are several runs
  bool record, direct;
};

// Raises the row's maximum to `largest`, that of the tile, and moves its sums there. Returns the factor they took: 1 unless
// the maximum grew. NaN is passed over: it shows in the sums.
static float raise_maximum(forward_state& f, const tile_row& row, vf largest) {
  const float old = f.m[row.r];
  if (!any(largest > splat(old))) return 1.0f;
  const float m = maximum(largest), shift = (old - m) * f.unit;
  const float a = power_of_two(splat(shift))[0];
  float* l = f.l + row.r * VL;
  if (f.record && old != -infinity) move_record(f.record[row.r], l, shift, a);
  store(l, load(l) * splat(a));
  f.m[row.r] = m;
  return a;
}

// For keys begin … end of the row: s[j] becomes w = 2^(unit·(s - m)); returns l + Σ w.
template <record_mode Mode>
static vf weigh_keys(forward_state& f, const tile_row& row, i64 begin, i64 end, vf l) {
  if (begin >= end) return l;
  const float m = f.m[row.r];
  const vf unit = splat(f.unit), largest = splat(m == -infinity ? 0.0f : m);
  row_record<Mode> record(f, row, begin, l);
  for (i64 j = begin; j < end; j += VL) {
    const vf s = load(row.s + j), x = (s - largest) * unit, w = power_of_two(x);
    l += w;
    record.add(j, s, x, w, l);
    store(row.s + j, w);
  }
  record.end(f, row, end, l);
  return l;
}

static vf weigh_row(forward_state& f, const tile_row& row) {
  return weigh_keys<unrecorded>(f, row, row.begin, row.end, vf{});
}

static vf weigh_row(forward_state& f, const tile_row& row, const record_runs& runs) {
  vf l = weigh_keys<closely>(f, row, row.begin, runs.before[0], vf{});
  l = weigh_keys<before>(f, row, runs.before[0], runs.before[1], l);
  l = weigh_keys<closely>(f, row, runs.before[1], runs.after[0], l);
  l = weigh_keys<after>(f, row, runs.after[0], runs.after[1], l);
  return weigh_keys<closely>(f, row, runs.after[1], row.end, l);
}

// Scores of a row become weights, dropped where dropout says so; returns the factor of the row's sums.
static float softmax_row(forward_state& f, const tile_row& row) {
  const attention_problem& p = *f.p;
  const key_range keys = prepare_row(f, row);
  if (f.record) watch_keys(f, row);
  record_runs runs = f.record ? runs_of(f, row, keys.begin, keys.end) : record_runs{};
  const float a = raise_maximum(f, row, f.record ? extremes(f, row, runs) : largest_score(row, row.begin, row.end));
  const vf l = f.record ? weigh_row(f, row, runs) : weigh_row(f, row);
  store(f.l + row.r * VL, load(f.l + row.r * VL) + l);
  if (f.kept) keep_row(*f.kept, row, f.m[row.r]);
  if (p.dropout_threshold) drop_row(p, f.b, row);
  return a;
}

// out = a·out + P·V for one row, over its allowed keys alone.
static void apply_careful(const forward_state& f, const tile_row& row, float a) {
  float* out = f.out + row.r * f.v_width;
  for (i64 d = 0; d < f.v_width; d += VL) {
    vf sum{};
    for (i64 j = row.begin; j < row.end; j++)
      if (allowed_cell(*f.p, f.b, row.h, row.i, row.j0 + j) && !(f.p->program && row.s[j] == 0))
        sum = fma(splat(row.s[j]), load(f.values + j * f.value_step + d), sum);
    store(out + d, fma(splat(a), load(out + d), sum));
  }
}

// out = a·out + P·V over runs of keys: one chain of products, as if the keys between had weight 0.
static void apply_runs(const forward_state& f, i64 r0, int rows, const live_runs& runs, const float* a) {
  for (i64 d = 0; d < f.v_width; d += tile_columns) {
    const i64 columns = min_of(tile_columns, f.v_width - d);
    const auto values = [&](int run) { return f.values + runs.run[run].begin * f.value_step + d; };
    const auto keys = [&](int run) { return runs.run[run].end - runs.run[run].begin; };
    float* out = f.out + r0 * f.v_width + d;
    if (runs.count == 1) {
      multiply<forward_pitch, 1, tile_rescale>(rows, columns, out, f.v_width, f.tile + runs.run[0].begin, values(0),
                                               f.value_step, keys(0), a);
      continue;
    }
    multiply<forward_pitch, 1, tile_set>(rows, columns, f.product, tile_columns, f.tile + runs.run[0].begin, values(0),
                                         f.value_step, keys(0));
    for (int run = 1; run < runs.count; run++)
      multiply<forward_pitch, 1, tile_continue>(rows, columns, f.product, tile_columns, f.tile + runs.run[run].begin,
                                                values(run), f.value_step, keys(run));
    for (int r = 0; r < rows; r++)
      for (i64 v = 0; v < columns; v += VL) {
        float* target = out + r * f.v_width + v;
        store(target, fma(splat(a[r]), load(target), load(f.product + r * tile_columns + v)));
      }
  }
}

// Rows r0 … r0+rows-1 of the block against one tile.
static void forward_group(forward_state& f, const forward_tile& t, i64 r0, int rows) {
  const attention_problem& p = *f.p;
  const i64 h0 = head_of(f, r0), h1 = head_of(f, r0 + rows - 1) + 1;
  const bool one_head = h1 - h0 == 1;
  const i64 first = one_head ? query_of(f, r0) : f.i0, last = one_head ? first + rows - 1 : f.i0 + f.queries - 1;
  const block_rows asking{f.b, h0, h1, first, last};
  const key_range keys = live_keys(p, asking, {t.j0 + t.from, t.j0 + t.keys});
  if (keys.end <= keys.begin) return;
  const i64 begin = (keys.begin - t.j0) / tile_columns * tile_columns, end = keys.end - t.j0;
  const live_runs runs = runs_in_tile(p.blocks, asking, t.j0, begin, end);
  for (int run = 0; run < runs.count; run++) {
    const auto [from, to] = runs.run[run];
    if (f.direct) score_keys(f, t, r0, rows, from, to);
    else score_tile<forward_pitch>(f.tile, f.q_rows + r0 * tile_pitch, f.capacity, f.k_panels, rows, from, to, p.D);
  }
  float a[tile_rows];
  tile_row row[tile_rows];
  for (int r = 0; r < rows; r++) {
    row[r] = {f.tile + r * forward_pitch, t.j0, begin, end, r0 + r, head_of(f, r0 + r), query_of(f, r0 + r)};
    a[r] = softmax_row(f, row[r]);
    if (f.mass_pitch) add_mass(f, row[r], a[r]);
  }
  if (f.careful)
    for (int r = 0; r < rows; r++) apply_careful(f, row[r], a[r]);
  else if (f.direct)
    for (int run = 0; run < runs.count; run++) apply_values(f, t, r0, rows, runs.run[run].begin, runs.run[run].end, a);
  else
    apply_runs(f, r0, rows, runs, a);
}

// out = out / l, lse = scale·m + ln l, with the sink in l; zeros and -inf where no key was allowed.
static void finish_rows(const call& c, forward_state& f) {
  using namespace attention_forward_f32_call;
  const attention_problem& p = *f.p;
  const view &to = c.operand[o_out], &lse = c.operand[o_lse];
  const double scale = f.natural ? 1.0 : p.scale < 0 ? -p.scale : p.scale;
  for (i64 r0 = 0; r0 < f.rows; r0 += VL) {
    const int count = (int)min_of(VL, f.rows - r0);
    vf own = splat(1.0f);
    for (int r = 0; r < count && p.sinks; r++) own[r] = add_sink(f, r0 + r, scale);
    const vf l = row_totals(f.l + r0 * VL, VL, count), log_l = vlog(l);
    for (int r = 0; r < count; r++) {
      const i64 h = head_of(f, r0 + r), i = query_of(f, r0 + r);
      const bool empty = f.keys[r0 + r] == 0;
      const vf factor = splat(empty ? 0.0f : 1.0f / l[r]);
      float* out = head(to, f.b, h) + i * to.stride[2];
      for (i64 d = 0; d < p.Dv; d += VL) {
        const vf x = fma(load(f.out + (r0 + r) * f.v_width + d), factor, vf{});  // the sum with 0 turns -0 into 0
        store_strided(out + d * to.stride[3], to.stride[3], x, (int)min_of(VL, p.Dv - d));
      }
      if (f.mass_pitch) write_mass(f, r0 + r, h, i, factor);
      const float sum_of = (float)(scale * f.m[r0 + r] + log_l[r]), sink = sink_of(p, h);
      head(lse, f.b, h)[i * lse.stride[2]] = empty ? -infinity : sum_of < sink ? sink : sum_of;
    }
    if (f.record) write_statistics(c, f, r0, count, l, log_l, own);
  }
}

// A block and its sums, which lie in `sums`; `tile` serves one tile.
static forward_state block_at(const call& c, const forward_plan& plan, const upcoming& block, float* sums, float* tile) {
  using namespace attention_forward_f32_call;
  const attention_problem& p = plan.p;
  forward_state f{};
  f.p = &p, f.b = block.b, f.g = block.g, f.h0 = f.g * (p.H / p.G), f.i0 = block.i0, f.queries = block.queries;
  f.rows = p.H / p.G * f.queries, f.capacity = p.H / p.G * plan.queries, f.v_width = round_up(p.Dv, VL);
  f.natural = p.softcap > 0 || p.bias || p.relative || p.program || p.scale == 0;
  f.unit = f.natural ? log2_e : (p.scale < 0 ? -p.scale : p.scale) * log2_e;
  f.window = whole(c.scalar[s_window]), f.set = given(c, o_set);
  f.v = head(*p.v, f.b, f.g), f.direct = plan.direct;
  carve_sums(f, sums, plan.record);
  carve_tile(f, tile);
  return f;
}

static block_rows rows_of(const forward_state& f) {
  return {f.b, f.h0, f.h0 + f.p->H / f.p->G, f.i0, f.i0 + f.queries - 1};
}

// The first tile from j0 on with a key before `end` that some row of the block may attend; its keys are none when there is
// no such tile.
static forward_tile live_tile(const forward_state& f, i64 j0, i64 end) {
  for (; j0 < end; j0 += forward_keys) {
    const key_range keys = live_range(f.p->blocks, rows_of(f), {j0, min_of(end, j0 + forward_keys)});
    if (keys.begin < keys.end) return {j0, keys.end - j0, (keys.begin - j0) / tile_columns * tile_columns};
  }
  return {end, 0, 0};
}

// Rows from r on that are computed together. They keep to one row of large blocks, or half of them would be computed for
// keys that the others alone attend.
static i64 group_rows(const forward_state& f, i64 r) {
  const i64 rows = min_of(tile_rows, f.rows - r);
  const block_map& map = f.p->blocks;
  return map.codes && map.rows >= 4 * tile_rows ? min_of(rows, map.rows - query_of(f, r) % map.rows) : rows;
}

// Takes the block's rows through the tiles of keys [first, past) that some row may attend.
static void forward_block(forward_state& f, i64 first, i64 past) {
  const attention_problem& p = *f.p;
  const float* k = head(*p.k, f.b, f.g);
  const i64 last = f.i0 + f.queries - 1, parts = (f.rows + tile_rows - 1) / tile_rows;
  const key_range allowed = keys_of(p, f.b, f.i0, last);
  const i64 end = min_of(past, allowed.end);
  clear_rows(f);
  pack_queries(f);
  forward_tile t = live_tile(f, max_of(first, allowed.begin / forward_keys * forward_keys), end);
  for (forward_tile next; t.keys > 0; t = next) {
    next = live_tile(f, t.j0 + forward_keys, end);
    const float* k_first = k + (t.j0 + t.from) * p.k->stride[2];
    if (!f.direct)
      pack_keys(f.k_panels + t.from * p.D, k_first, p.k->stride[2], p.k->stride[3], t.keys - t.from, p.D);
    pack_values(f, t, partly_forbidden(p, f.b, f.i0, last, t.j0, t.from, t.keys));
    const i64 coming = next.keys - next.from;
    const upcoming soon = coming > 0 ? upcoming{f.b, f.g, next.j0 + next.from, coming, 0, 0} : f.after;
    for (i64 r = 0, rows; r < f.rows; r += rows) {
      rows = group_rows(f, r);
      if (!f.direct) prefetch(p, soon, r / tile_rows, parts);
      forward_group(f, t, r, (int)rows);
    }
  }
}

static void forward_run(const forward_plan& plan, forward_state& f, i64 run) {
  forward_block(f, run * decode_keys, plan.runs == 1 ? plan.p.S : (run + 1) * decode_keys);
}

// First query of a part. With a map of bins a part holds whole bins.
static i64 part_start(const forward_plan& plan, i64 part) {
  const i64 bins = plan.kept.bins;
  return bins ? bin_start(plan.p, bins, part * bins / plan.parts) : part * plan.p.L / plan.parts;
}

// A part that keeps its weights: its blocks one after the other, because their rows add up.
static void forward_kept(const call& c, const forward_plan& plan, i64 b, i64 g, i64 part, float* scratch) {
  const attention_problem& p = plan.p;
  float* tile = scratch + plan.sums_floats;
  strip s = carve_strip(p, plan.kept, p.H / p.G * plan.queries, tile + plan.tile_floats);
  s.received = plan.received;
  const i64 heads = p.H / p.G, bins = plan.kept.bins;
  for (i64 h = 0; h < heads; h++) {
    clear_column(s, h);
    clear_tiles(plan.kept, b, g * heads + h, part * bins / plan.parts, (part + 1) * bins / plan.parts);
  }
  const i64 start = part_start(plan, part), end = part_start(plan, part + 1);
  for (i64 i = start; i < end; i += plan.queries) {
    const upcoming block{b, g, 0, 0, i, min_of(plan.queries, end - i)};
    forward_state f = block_at(c, plan, block, scratch, tile);
    for (i64 r = 0; r < 2 * f.rows; r++) s.range[r] = 0;
    f.kept = &s;
    forward_run(plan, f, 0);
    for (i64 run = 1; run < plan.runs; run++) {
      forward_state next = block_at(c, plan, block, scratch + plan.scratch_floats - plan.sums_floats, tile);
      next.kept = &s;
      forward_run(plan, next, run);
      merge_sums(f, next);
    }
    finish_rows(c, f);
    read_strip(f, s, part, end);
  }
}

// The block of an item, with its first tile of keys.
static upcoming block_of(const forward_plan& plan, i64 item) {
  const attention_problem& p = plan.p;
  const i64 bg = item / plan.runs / plan.parts, part = plan.parts - 1 - item / plan.runs % plan.parts;  // longest causal rows first
  const i64 i0 = part * plan.queries, queries = min_of(plan.queries, p.L - i0), b = bg / p.G;
  const i64 begin = keys_of(p, b, i0, i0 + queries - 1).begin / forward_keys * forward_keys;
  return {b, bg % p.G, begin, min_of(forward_keys, p.S - begin), i0, queries};
}

static void forward_task(const call& c, i64 index, int worker, void* state) {
  const forward_plan& plan = *static_cast<const forward_plan*>(state);
  const attention_problem& p = plan.p;
  float* scratch = static_cast<float*>(c.scratch(c, worker, plan.scratch_floats * 4));
  const i64 end = min_of(plan.items, (index + 1) * plan.items_per_task);
  for (i64 item = index * plan.items_per_task; item < end; item++) {
    if (plan.kept.wanted) {
      const i64 bg = item / plan.parts;
      forward_kept(c, plan, bg / p.G, bg % p.G, plan.parts - 1 - item % plan.parts, scratch);
      continue;
    }
    float* sums = plan.sums ? plan.sums + item * plan.sums_floats : scratch;
    forward_state f = block_at(c, plan, block_of(plan, item), sums, scratch + plan.sums_floats);
    f.after = block_of(plan, min_of(item + c.threads, plan.items - 1));
    forward_run(plan, f, item % plan.runs);
    if (!plan.sums) finish_rows(c, f);
  }
}

// All runs of one block, one after the other.
static void merge_task(const call& c, i64 block, int, void* state) {
  const forward_plan& plan = *static_cast<const forward_plan*>(state);
  const auto at = [&](i64 item) {
    return block_at(c, plan, block_of(plan, item), plan.sums + item * plan.sums_floats, nullptr);
  };
  forward_state f = at(block * plan.runs);
  for (i64 run = 1; run < plan.runs; run++) merge_sums(f, at(block * plan.runs + run));
  finish_rows(c, f);
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
  plan.direct = p.L == 1 && p.k->stride[3] == 1;
  plan.runs = p.L == 1 ? max_of(1, (p.S + decode_keys - 1) / decode_keys) : 1;
  plan.items = groups * plan.parts * (plan.kept.wanted ? 1 : plan.runs);
  const i64 keys = plan.runs == 1 ? p.S : decode_keys;
  plan.items_per_task = max_of(1, worthwhile / max_of(1, share * plan.queries * keys * (p.D + p.Dv)));
  plan.sums_floats = sums_floats(p, share * plan.queries, plan.record);
  plan.tile_floats = tile_floats(p, share * plan.queries);
  plan.scratch_floats = plan.sums_floats + plan.tile_floats;
  if (plan.kept.wanted)
    plan.scratch_floats += round_up(strip_scratch_floats(p, share * plan.queries), VL) + (plan.runs > 1 ? plan.sums_floats : 0);
}

// Scratch for every worker; behind that of the first, what all share.
static bool take_scratch(const call& c, forward_plan& plan) {
  const attention_problem& p = plan.p;
  const i64 received = plan.kept.received ? plan.parts * p.B * p.H * p.S : 0;
  const i64 sums = plan.runs > 1 && !plan.kept.wanted ? plan.items * plan.sums_floats : 0, own = round_up(plan.scratch_floats, VL);
  float* first = static_cast<float*>(c.scratch(c, 0, (own + received + sums) * 4));
  for (int worker = 1; worker < c.threads; worker++)
    if (!c.scratch(c, worker, plan.scratch_floats * 4)) return false;
  plan.received = received ? first + own : nullptr;
  plan.sums = sums ? first + own : nullptr;
  for (i64 j = 0; first && j < received; j++) plan.received[j] = 0;
  return first;
}

static int attention_forward_f32(const call& c) {
  using namespace attention_forward_f32_call;
  forward_plan plan{};
  plan.p = read_problem(c, o_q, o_k, o_v, o_mask, o_bias, o_lengths);
  read_relative(plan.p, c, o_relative);
  plan.p.sinks = given(c, o_sinks), plan.p.mass = given(c, o_relativeMass);
  if (bad_problem(plan.p)) return bad_scalar;
  if (int code = check_blocks(c, o_blocks, o_patterns, plan.p.L, plan.p.S)) return code;
  plan.p.blocks = read_blocks(c, o_blocks, o_patterns);
  score_program program;
  if (!take_program(plan.p, program, c, o_program, o_captured)) return bad_program;
  if (!(c.scalar[s_dropoutRate] >= 0 && c.scalar[s_dropoutRate] < 1)) return bad_scalar;
  read_dropout(plan.p, c.scalar[s_dropoutRate], c.scalar[s_seed], c.scalar[s_stream]);
  plan.record = c.operand[o_statistics].data;
  plan.kept = read_strip_outputs(c);
  if (!plan.kept.top_weights != !plan.kept.top_keys) return bad_scalar;
  if (plan.p.B * plan.p.H == 0 || (plan.p.L == 0 && !plan.kept.wanted)) return ok;
  plan_forward(c, plan);
  if (!take_scratch(c, plan)) return out_of_memory;
  c.parallel(c, (plan.items + plan.items_per_task - 1) / plan.items_per_task, forward_task, &plan);
  if (plan.sums) c.parallel(c, plan.items / plan.runs, merge_task, &plan);
  if (plan.kept.received) c.parallel(c, plan.p.B * plan.p.H, received_task, &plan);
  return ok;
}
