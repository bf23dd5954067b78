// The record inside attention_forward_f32: what it adds per tile, and the formulas at the end. Every sum is kept relative
// to the running maximum and moved when that grows (Milakov and Gimelshein 2018, for more sums than one). With x, w, d as in
// record_sums and the old maximum δ orders of magnitude below the new one, a = 2^δ:
//   t = a·(t + δ·l)   tx = a·(tx + 2δ·t + δ²·l)   square = a²·square   others a·sum   and then Σ over the tile is added
// Masses on single keys need only the score of that key, so they cost nothing in the loop. Most tiles lie on one side of
// the diagonal: there |d| is d or -d, and the window is not crossed.
#pragma once

#include "attention_softmax.inl.h"

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
  const i64 here = row.i + f.p->offset, keys[4] = {0, here, here - 1, here + 1};
  for (int slot = 0; slot < 4; slot++) watch_key(sums, slot, row, keys[slot]);
}

// Smallest stored score; -inf is a forbidden key, or a score that nobody wants to see as the smallest.
static void note_lowest(forward_state& f, const tile_row& row, bool complete, vf lowest) {
  float* sum = f.record[row.r].lowest;
  if (!complete) {
    lowest = splat(infinity);
    for (i64 j = row.begin; j < row.end; j += VL) {
      const vf s = load(row.s + j);
      lowest = min(select(s == splat(-infinity), splat(infinity), s), lowest);
    }
  }
  store(sum, min(load(sum), lowest));
}

// What the record has to do for one row of a tile.
enum record_mode {
  unrecorded,
  closely,  // the diagonal or its window crosses the tile, a cell is forbidden, or chosen keys are summed
  before,   // all keys come before the window, none is forbidden
  after,    // all keys come after it, none is forbidden
};

// `complete`: no score is -inf.
static record_mode mode_of(const forward_state& f, const tile_row& row, bool complete) {
  if (!f.record) return unrecorded;
  const i64 here = row.i + f.p->offset, first = row.j0 + row.begin, last = row.j0 + row.end - 1, reach = max_of(1, f.window);
  if (!complete || f.set || row.end % VL != 0) return closely;
  return last < here - reach ? before : first > here + reach ? after : closely;
}

#define KEYHOLE_INLINE_MEMBER inline __attribute__((always_inline))

// What one row of a tile adds to the record, while its scores become weights.
template <record_mode Mode>
struct row_record {
  vf t{}, tx{}, square{}, passed{};

  KEYHOLE_INLINE_MEMBER row_record(const forward_state&, const tile_row&) {}
  // x: scores relative to the maximum, w = 2^x, l: Σ w up to here.
  KEYHOLE_INLINE_MEMBER void add(i64, vf x, vf w, vf l) {
    const vf wx = w * x;
    t += wx;
    tx = fma(wx, x, tx);
    square = fma(w, w, square);
    passed += l;
  }
  // |d| falls or rises by VL from vector to vector. Σ over n vectors of v·w_v is n·l - passed: no multiplication a key.
  KEYHOLE_INLINE_MEMBER void end(const forward_state& f, const tile_row& row, vf l) const {
    record_sums& sums = f.record[row.r];
    const vf d = splat((float)(row.i + f.p->offset - row.j0 - row.begin)) - to_float(lanes());
    const vf steps = fma(splat((float)((row.end - row.begin) / VL)), l, -passed);
    const vf distance = fma(splat(-(float)VL), steps, d * l);
    add_to(sums.t, t), add_to(sums.tx, tx), add_to(sums.square, square);
    add_to(sums.distance, Mode == after ? -distance : distance);
    if (Mode == after) add_to(sums.future, l);
  }
  static KEYHOLE_INLINE_MEMBER void add_to(float* sum, vf x) { store(sum, load(sum) + x); }
};

template <>
struct row_record<unrecorded> {
  KEYHOLE_INLINE_MEMBER row_record(const forward_state&, const tile_row&) {}
  KEYHOLE_INLINE_MEMBER void add(i64, vf, vf, vf) {}
  KEYHOLE_INLINE_MEMBER void end(const forward_state&, const tile_row&, vf) const {}
};

template <>
struct row_record<closely> {
  const u8* set = nullptr;  // of key j0 on
  i64 set_stride = 0, past;
  vf t{}, tx{}, square{}, distance{}, window{}, future{}, chosen{}, d, radius;

  KEYHOLE_INLINE_MEMBER row_record(const forward_state& f, const tile_row& row) : past(row.end) {
    d = splat((float)(row.i + f.p->offset - row.j0 - row.begin)) - to_float(lanes()), radius = splat((float)f.window);
    if (!f.set) return;
    set = static_cast<const u8*>(f.set->data) + f.b * f.set->stride[0] + row.j0 * f.set->stride[1];
    set_stride = f.set->stride[1];
  }
  KEYHOLE_INLINE_MEMBER void add(i64 j, vf x, vf w, vf) {
    x = max(splat(-200.0f), x);  // a forbidden key has x = -inf and w = 0
    const vf wx = w * x, apart = absolute(d);
    t += wx;
    tx = fma(wx, x, tx);
    square = fma(w, w, square);
    distance = fma(w, apart, distance);
    window += select(apart <= radius, w, vf{});
    future += select(d < vf{}, w, vf{});
    d -= splat((float)VL);
    if (set) chosen += select(load_bytes_strided(set + j * set_stride, set_stride, (int)min_of(VL, past - j)) != 0, w, vf{});
  }
  KEYHOLE_INLINE_MEMBER void end(const forward_state& f, const tile_row& row, vf) const {
    const vf added[] = {t, tx, square, distance, window, future, chosen};  // in the order of record_sums
    float* sum = f.record[row.r].t;
    for (const vf& x : added) store(sum, load(sum) + x), sum += VL;
  }
};

// Row r of the block, at the end. Entropy is ln l - ln 2·t/l, which does not cancel when the scores are large.
static void write_statistics(const call& c, const forward_state& f, i64 r, float l, float log_l) {
  const view& to = c.operand[attention_forward_f32_call::o_statistics];
  const record_sums& sums = f.record[r];
  float value[statistics::count]{};
  if (f.keys[r] != 0) {
    const float rest = 1.0f / l, m = f.m[r], scale = f.natural ? 1.0f : f.p->scale < 0 ? -f.p->scale : f.p->scale;
    const float mean = sum(load(sums.t)) * rest;  // of x
    value[statistics::keys_] = f.keys[r];
    value[statistics::logitMax_] = m * scale;
    value[statistics::logitMin_] = -maximum(-load(sums.lowest)) * scale;
    value[statistics::logitMean_] = m * scale + mean * ln_2;
    value[statistics::logitVariance_] = max(splat(0.0f), splat(sum(load(sums.tx)) * rest - mean * mean))[0] * ln_2 * ln_2;
    value[statistics::pMax_] = rest;
    value[statistics::entropyNats_] = log_l - ln_2 * mean;
    value[statistics::squareSum_] = sum(load(sums.square)) * rest * rest;
    value[statistics::meanDistance_] = sum(load(sums.distance)) * rest;
    value[statistics::windowMass_] = sum(load(sums.window)) * rest;
    value[statistics::futureMass_] = sum(load(sums.future)) * rest;
    value[statistics::setMass_] = sum(load(sums.set)) * rest;
    const int single[4] = {statistics::firstMass_, statistics::selfMass_, statistics::previousMass_, statistics::nextMass_};
    for (int slot = 0; slot < 4; slot++)
      value[single[slot]] = rest * power_of_two(splat((sums.watched[slot] - m) * f.unit))[0];
  }
  float* target = static_cast<float*>(to.data) + f.b * to.stride[1] + head_of(f, r) * to.stride[2] + query_of(f, r) * to.stride[3];
  for (int statistic = 0; statistic < statistics::count; statistic++) target[statistic * to.stride[0]] = value[statistic];
}
