// The record inside attention_forward_f32: what it adds per tile, and the formulas at the end. Every sum is kept relative
// to the running maximum and moved when that grows (Milakov and Gimelshein 2018, for more sums than one). With x, w, d as in
// record_sums and the old maximum δ orders of magnitude below the new one, a = 2^δ:
//   t = a·(t + δ·l)   tx = a·(tx + 2δ·t + δ²·l)   square = a²·square   others a·sum   and then Σ over the tile is added
// Masses on single keys need only the score of that key, so they cost nothing in the loop. Most tiles lie on one side of
// the diagonal: there |d| is d or -d, and the window is not crossed.
#pragma once

#include "attention_softmax.inl.h"

// Σ over the lanes of `count` vectors that lie `step` floats apart, one a lane.
static vf row_totals(const float* first, i64 step, int count) {
  vf rows[VL];
#pragma GCC unroll 16
  for (int r = 0; r < VL; r++) rows[r] = r < count ? load(first + r * step) : vf{};
  transpose(rows);
  vf total = rows[0];
#pragma GCC unroll 16
  for (int r = 1; r < VL; r++) total += rows[r];
  return total;
}

// The largest lane of sign·x of each.
static vf row_maxima(const float* first, i64 step, int count, vf sign) {
  vf rows[VL];
#pragma GCC unroll 16
  for (int r = 0; r < VL; r++) rows[r] = r < count ? sign * load(first + r * step) : vf{};
  transpose(rows);
  vf largest = rows[0];
#pragma GCC unroll 16
  for (int r = 1; r < VL; r++) largest = max(rows[r], largest);
  return largest;
}

// Moves the sums of a row before l is moved.
static void move_record(record_sums& sums, const float* l, float shift, float a) {
  const vf factor = splat(a), delta = splat(shift == -infinity ? 0.0f : shift);
  const vf t = load(sums.t), old_l = load(l);
  store(sums.tx, factor * (load(sums.tx) + delta * (t + t + delta * old_l)));
  store(sums.t, factor * (t + delta * old_l));
  store(sums.square, factor * factor * load(sums.square));
  for (float* sum = sums.distance; sum < sums.lowest; sum += VL) store(sum, factor * load(sum));
}

// Both relative to the same maximum.
static void merge_record(record_sums& sums, const record_sums& more) {
  const float* from = more.t;
  for (float* sum = sums.t; sum < sums.lowest; sum += VL, from += VL) store(sum, load(sum) + load(from));
  store(sums.lowest, min(load(more.lowest), load(sums.lowest)));
  for (int slot = 0; slot < 4; slot++)
    if (more.watched[slot] != -infinity) sums.watched[slot] = more.watched[slot];
}

static void watch_key(record_sums& sums, int slot, const tile_row& row, i64 key) {
  const i64 j = key - row.j0;
  if (j >= row.begin && j < row.end) sums.watched[slot] = row.s[j];
}

static void watch_keys(forward_state& f, const tile_row& row) {
  record_sums& sums = f.record[row.r];
  const i64 here = row.i + f.p->offset, first = row.j0 + row.begin, past = row.j0 + row.end;
  if (first == 0) watch_key(sums, 0, row, 0);
  if (here + 1 < first || here - 1 >= past) return;
  watch_key(sums, 1, row, here);
  watch_key(sums, 2, row, here - 1);
  watch_key(sums, 3, row, here + 1);
}

#define KEYHOLE_INLINE_MEMBER inline __attribute__((always_inline))

// What a run of a row's keys adds to the record, while scores become weights.
enum record_mode {
  unrecorded,
  closely,  // the diagonal or its window crosses the run, a key is forbidden, or chosen keys are summed
  before,   // all keys come before the window, none is forbidden
  after,    // all keys come after it, none is forbidden
};

template <record_mode Mode>
struct row_record {
  vf t{}, tx{}, square{}, passed{}, l0;
  i64 begin;

  KEYHOLE_INLINE_MEMBER row_record(const forward_state&, const tile_row&, i64 j, vf l) : l0(l), begin(j) {}
  // s: stored scores, x: relative to the maximum, w = 2^x, l: Σ w up to here.
  KEYHOLE_INLINE_MEMBER void add(i64, vf, vf x, vf w, vf l) {
    const vf wx = w * x;
    t += wx;
    tx = fma(wx, x, tx);
    square = fma(w, w, square);
    passed += l;
  }
  // |d| falls or rises by VL from vector to vector. Σ over n vectors of v·w_v is n·l - passed: no multiplication a key.
  KEYHOLE_INLINE_MEMBER void end(const forward_state& f, const tile_row& row, i64 past, vf l) const {
    record_sums& sums = f.record[row.r];
    const vf d = splat((float)(row.i + f.p->offset - row.j0 - begin)) - to_float(lanes());
    const vf mass = l - l0, steps = fma(splat((float)((past - begin) / VL)), l, -passed);
    const vf distance = fma(splat(-(float)VL), steps, d * mass);
    add_to(sums.t, t), add_to(sums.tx, tx), add_to(sums.square, square);
    add_to(sums.distance, Mode == after ? -distance : distance);
    if (Mode == after) add_to(sums.future, mass);
  }
  static KEYHOLE_INLINE_MEMBER void add_to(float* sum, vf x) { store(sum, load(sum) + x); }
};

template <>
struct row_record<unrecorded> {
  KEYHOLE_INLINE_MEMBER row_record(const forward_state&, const tile_row&, i64, vf) {}
  KEYHOLE_INLINE_MEMBER void add(i64, vf, vf, vf, vf) {}
  KEYHOLE_INLINE_MEMBER void end(const forward_state&, const tile_row&, i64, vf) const {}
};

template <>
struct row_record<closely> {
  const u8* set = nullptr;  // of key j0 on
  i64 set_stride = 0, row_end;
  vf t{}, tx{}, square{}, distance{}, window{}, future{}, chosen{}, lowest = splat(infinity), d, radius;

  KEYHOLE_INLINE_MEMBER row_record(const forward_state& f, const tile_row& row, i64 j, vf) : row_end(row.end) {
    d = splat((float)(row.i + f.p->offset - row.j0 - j)) - to_float(lanes()), radius = splat((float)f.window);
    if (!f.set) return;
    set = static_cast<const u8*>(f.set->data) + f.b * f.set->stride[0] + row.j0 * f.set->stride[1];
    set_stride = f.set->stride[1];
  }
  KEYHOLE_INLINE_MEMBER void add(i64 j, vf s, vf x, vf w, vf) {
    x = max(splat(-200.0f), x);  // a forbidden key has x = -inf and w = 0
    const vf wx = w * x, apart = absolute(d);
    t += wx;
    tx = fma(wx, x, tx);
    square = fma(w, w, square);
    lowest = min(select(s == splat(-infinity), splat(infinity), s), lowest);
    distance = fma(w, apart, distance);
    window += select(apart <= radius, w, vf{});
    future += select(d < vf{}, w, vf{});
    d -= splat((float)VL);
    if (set)
      chosen += select(load_bytes_strided(set + j * set_stride, set_stride, (int)min_of(VL, row_end - j)) != 0, w, vf{});
  }
  KEYHOLE_INLINE_MEMBER void end(const forward_state& f, const tile_row& row, i64, vf) const {
    const vf added[] = {t, tx, square, distance, window, future, chosen};  // in the order of record_sums
    record_sums& sums = f.record[row.r];
    float* sum = sums.t;
    for (const vf& x : added) store(sum, load(sum) + x), sum += VL;
    store(sums.lowest, min(load(sums.lowest), lowest));
  }
};

// A row's keys in the runs that a record handles alike: closely up to `before[0]`, before its window up to `before[1]`,
// closely up to `after[0]`, after its window up to `after[1]`, closely to the end. All multiples of VL.
struct record_runs {
  i64 before[2], after[2];
};

// first, past: keys of the tile that causality, window and length allow.
static record_runs runs_of(const forward_state& f, const tile_row& row, i64 first, i64 past) {
  const i64 reach = max_of(1, f.window), here = row.i + f.p->offset - row.j0;  // previous and next key are in the middle
  const i64 end = round_up(row.end, VL);
  if (f.p->mask || f.p->bias || f.p->relative || f.set || first >= past) return {{row.begin, row.begin}, {end, end}};
  if (first <= row.begin && past >= end && end <= here - reach) return {{row.begin, end}, {end, end}};
  const auto inside = [&](i64 j) { return max_of(row.begin, min_of(end, j)); };
  const i64 start = inside(round_up(first, VL)), stop = inside(past / VL * VL);  // whole vectors of allowed keys
  record_runs runs{{start, inside(max_of(0, here - reach) / VL * VL)}, {inside(round_up(max_of(0, here + reach + 1), VL)), stop}};
  runs.before[1] = max_of(start, min_of(stop, runs.before[1]));
  runs.after[0] = max_of(runs.before[1], max_of(start, runs.after[0]));
  runs.after[1] = max_of(runs.after[0], stop);
  return runs;
}

// The largest score of a row. The smallest of the runs without forbidden keys goes to the record; a score of -inf among them
// (q·k was too large for a float) is a weight of 0 like a forbidden key, so then all keys are looked at closely.
static vf extremes(const forward_state& f, const tile_row& row, record_runs& runs) {
  const i64 start = runs.before[0], stop = runs.after[1];
  vf largest = largest_score(row, row.begin, start), lowest = splat(infinity);
  for (i64 j = start; j < stop; j += VL) {
    const vf s = load(row.s + j);
    largest = max(s, largest), lowest = min(s, lowest);
  }
  float* kept = f.record[row.r].lowest;
  if (any(lowest == splat(-infinity))) runs = {{row.begin, row.begin}, {round_up(row.end, VL), round_up(row.end, VL)}};
  else store(kept, min(load(kept), lowest));
  return max(largest_score(row, stop, row.end), largest);
}

// Rows r0 … of the block, at the end, one a lane; `own` is the keys' share of all weight, less than 1 beside a sink. Entropy
// is ln l - ln 2·t/l, which does not cancel when scores are large.
static void write_statistics(const call& c, const forward_state& f, i64 r0, int count, vf l, vf log_l, vf own) {
  const view& to = c.operand[attention_forward_f32_call::o_statistics];
  const record_sums* sums = f.record + r0;
  constexpr i64 step = sizeof(record_sums) / sizeof(float);
  const float scale = f.natural ? 1.0f : f.p->scale < 0 ? -f.p->scale : f.p->scale;
  const vf keys = load_partial(f.keys + r0, count), m = load_partial(f.m + r0, count), rest = splat(1.0f) / l;
  const i64 h = head_of(f, r0), i = query_of(f, r0);
  float* first = static_cast<float*>(to.data) + f.b * to.stride[1] + h * to.stride[2] + i * to.stride[3];
  const bool one_head = i + count <= f.i0 + f.queries;
  const auto write = [&](int statistic, vf values) {
    values = select(keys == vf{}, vf{}, values);
    float* target = first + statistic * to.stride[0];
    if (one_head) return store_strided(target, to.stride[3], values, count);
    for (int r = 0; r < count; r++)
      target[(head_of(f, r0 + r) - h) * to.stride[2] + (query_of(f, r0 + r) - i) * to.stride[3]] = values[r];
  };
  const auto share = [&](const float* sum) { return row_totals(sum, step, count) * rest; };
  const vf mean = share(sums->t), lowest = -row_maxima(sums->lowest, step, count, splat(-1.0f));
  write(statistics::keys_, keys);
  write(statistics::logitMax_, m * splat(scale));
  write(statistics::logitMin_, lowest * splat(scale));
  const vf sink = splat(1.0f) - own, apart = select(own < splat(1.0f), sink * m * splat(f.unit), vf{});  // Σ p·x - Σ p·s + m
  const vf about_mean = share(sums->tx) - mean * mean - sink * (mean * mean - splat(2.0f) * mean * apart) + own * apart * apart;
  write(statistics::logitMean_, fma(mean, splat(ln_2), m * splat(scale) * own));
  write(statistics::logitVariance_, max(vf{}, about_mean) * splat(ln_2 * ln_2));
  write(statistics::pMax_, rest);
  write(statistics::entropyNats_, fma(mean, splat(-ln_2), log_l * own));
  write(statistics::squareSum_, share(sums->square) * rest);
  write(statistics::meanDistance_, share(sums->distance));
  write(statistics::windowMass_, share(sums->window));
  write(statistics::futureMass_, share(sums->future));
  write(statistics::setMass_, share(sums->set));
  const int single[4] = {statistics::firstMass_, statistics::selfMass_, statistics::previousMass_, statistics::nextMass_};
  for (int slot = 0; slot < 4; slot++) {
    const vf score = load_strided(sums->watched + slot, step, count);
    write(single[slot], power_of_two((score - m) * splat(f.unit)) * rest);
  }
}
