// One row of a score tile made ready for the softmax: what is forbidden becomes -inf, softcap and bias are applied. And the
// exponential that turns it into weights, and dropout on them. Next: attention_statistics.inl.h.
#pragma once

#include "attention_block.inl.h"

constexpr float log2_e = 1.44269504f, ln_2 = 0.693147181f;

// 2^x for x <= 0, at most 2 ulp; 0 below -126 and for -inf; NaN stays NaN. Polynomial: minimax on [-1/2, 1/2] of relative
// error 9.1e-8 with a constant of exactly 1, so that 2^0 = 1. Thirteen instructions, of which five are multiplications:
// vexp takes 2^x apart into more, because it has to be right below -126, too.
KEYHOLE_INLINE vf power_of_two(vf x) {
  const vf round = splat(12582912.0f);  // 1.5·2^23: adding it rounds, and leaves the whole number in the low bits
  const vf shifted = x + round, r = x - (shifted - round);
  vf y = splat(1.3264727e-3f);
  y = fma(y, r, splat(9.6715130e-3f));
  y = fma(y, r, splat(5.5507336e-2f));
  y = fma(y, r, splat(2.4022242e-1f));
  y = fma(y, r, splat(6.9314700e-1f));
  y = fma(y, r, splat(1.0f));
  const vu bits = as_bits(as_int(y)) + (as_bits(as_int(shifted)) << 23);  // unsigned, so that it may wrap
  return unless(x < splat(-126.0f), as_float((vi)bits));
}

// One row of the score tile.
struct tile_row {
  float* s;        // s[j] is key j0 + j
  i64 j0;
  i64 begin, end;  // computed keys of the tile, begin a multiple of VL
  i64 r, h, i;     // row of the block, its head and its query
};

// s[j] = -inf for j in [from, to).
KEYHOLE_INLINE void forbid(float* s, i64 from, i64 to) {
  for (i64 j = from; j < to; j += VL) store_partial(s + j, splat(-infinity), (int)min_of(VL, to - j));
}

// Lanes of [first, past) around j.
KEYHOLE_INLINE vi lanes_inside(i64 j, i64 first, i64 past) {
  return (lanes() >= (int)max_of(-1, min_of(VL, first - j))) & (lanes() < (int)max_of(0, min_of(VL, past - j)));
}

// What is laid over the scores of a row.
struct overlay {
  const u8* mask;     // of keys `begin` of the row on
  const float* bias;  // of key j0 on
  relative_row near;
  i64 mask_stride, bias_stride;
  vf scale;
  float softcap;
};

// VL scores from j on: softcap(scale·s), where a program has not been before, + bias + relative, -inf where forbidden; `keys`
// counts down the lanes that are allowed.
static vf overlaid(const forward_state& f, const overlay& over, const tile_row& row, i64 j, vi inside, vi& keys) {
  const attention_problem& p = *f.p;
  const int count = (int)min_of(VL, row.end - j);
  vf x = load(row.s + j);
  if (f.natural) x *= over.scale;
  if (over.softcap > 0) x = splat(over.softcap) * vtanh(x / splat(over.softcap));
  if (p.program) inside &= x != splat(-infinity);
  if (over.bias) {
    const vf bias = load_strided(over.bias + j * over.bias_stride, over.bias_stride, count);
    inside &= bias != splat(-infinity);
    x += bias;
  }
  if (over.near.table) {
    const vf near = over.near.at(j);
    inside &= near != splat(-infinity);
    x += near;
  }
  if (over.mask)
    inside &= load_bytes_strided(over.mask + (j - row.begin) * over.mask_stride, over.mask_stride, count) != 0;
  keys += inside;
  return select(inside, x, splat(-infinity));
}

// The scores of a row, scaled and capped, go through the program, in place.
static void modify_row(const forward_state& f, const tile_row& row) {
  const attention_problem& p = *f.p;
  const vf scale = splat(p.scale < 0 ? -p.scale : p.scale);
  for (i64 j = row.begin; j < row.end; j += VL) {
    const vf x = load(row.s + j) * scale;
    store(row.s + j, p.softcap > 0 ? splat(p.softcap) * vtanh(x / splat(p.softcap)) : x);
  }
  program_row run = program_row_of(p, f.b, row.h, row.i, row.j0 + row.begin, row.end - row.begin);
  run.values = f.slots, run.pitch = forward_pitch;
  run_program(run, row.s + row.begin);
}

// Where both the mask and the pattern of a block allow, for keys `begin` … `end` of the row.
KEYHOLE_INLINE void meet(u8* both, const attention_problem& p, const u8* mask, const block_cells& cells, i64 keys) {
  for (i64 j = 0; j < keys; j++) both[j] = mask[j * p.mask->stride[3]] && cells.pattern[j * cells.stride];
}

// Lays mask, bias and a block's pattern over a row; returns the number of keys in [first, past) that stay. A mask, a bias
// or scores by distance alone, in whole vectors, is what most calls have: those take the short ways.
static i64 lay_over(const forward_state& f, const tile_row& row, i64 first, i64 past, const block_cells& cells) {
  const attention_problem& p = *f.p;
  const mask_row masks = mask_row_of(p, f.b, row.h, row.i);
  u8 both[block_keys];
  overlay over{masks.mask, masks.bias, relative_row_of(p, p.relative, f.b, row.h, row.i, row.j0),
               p.mask ? p.mask->stride[3] : 0, p.bias ? p.bias->stride[3] : 0,
               splat(p.program ? 1.0f : p.scale < 0 ? -p.scale : p.scale), p.program ? 0.0f : p.softcap};
  if (p.program) modify_row(f, row);
  if (over.mask) over.mask += (row.j0 + row.begin) * over.mask_stride;
  if (cells.pattern) {
    if (over.mask) meet(both, p, over.mask, cells, row.end - row.begin);
    over.mask_stride = over.mask ? 1 : cells.stride;
    over.mask = over.mask ? both : cells.pattern;
  }
  if (over.bias) over.bias += row.j0 * over.bias_stride;
  const bool mask_alone = !f.natural && over.mask_stride == 1;
  const bool scaled_alone = !over.mask && !(p.softcap > 0) && !p.program;
  const bool bias_alone = scaled_alone && over.bias_stride == 1 && !over.near.table;
  const bool near_alone = scaled_alone && over.near.table && !over.bias;
  const bool program_alone = p.program && !over.mask && !over.bias && !over.near.table;
  prefetch_mask(p, masks.mask, row.j0 + forward_keys);
  vi keys{};
  int counted = 0;
  for (i64 j = row.begin; j < row.end; j += VL) {
    if (j < first || j + VL > past) {
      store(row.s + j, overlaid(f, over, row, j, lanes_inside(j, first, past), keys));
    } else if (program_alone) {
      keys += load(row.s + j) != splat(-infinity);
    } else if (mask_alone) {
      store(row.s + j, select_bytes(over.mask + j - row.begin, load(row.s + j), splat(-infinity), counted));
    } else if (bias_alone) {
      const vf bias = load(over.bias + j);
      keys += bias != splat(-infinity);
      store(row.s + j, select(bias == splat(-infinity), bias, fma(load(row.s + j), over.scale, bias)));
    } else if (near_alone) {
      const vf near = over.near.at(j);
      keys += near != splat(-infinity);
      store(row.s + j, select(near == splat(-infinity), near, fma(load(row.s + j), over.scale, near)));
    } else {
      store(row.s + j, overlaid(f, over, row, j, splat_int(-1), keys));
    }
  }
  return counted - (i64)sum(to_float(keys));
}

// Keys of the row in [first, past), counted from j0, that causality, window and length allow.
static key_range range_in_row(const tile_row& row, key_range range) {
  const i64 end = round_up(row.end, VL);
  const i64 first = max_of(row.begin, min_of(end, range.begin - row.j0));
  return {first, max_of(first, min_of(end, range.end - row.j0))};
}

// Scores of keys that are forbidden by `keys` (of range_in_row), mask, bias or pattern become -inf; counts the others.
static void prepare_keys(forward_state& f, const tile_row& row, key_range keys, const block_cells& cells) {
  if (f.p->mask || f.natural || cells.pattern) {
    f.keys[row.r] += (float)lay_over(f, row, keys.begin, keys.end, cells);
  } else {
    forbid(row.s, row.begin, keys.begin);
    forbid(row.s, keys.end, round_up(row.end, VL));
    f.keys[row.r] += (float)(keys.end - keys.begin);
  }
}

// The same block by block. A row with full blocks alone is as it would be without a map; otherwise no key is said to be
// allowed for certain.
static key_range prepare_blocks(forward_state& f, const tile_row& row, key_range range) {
  const mapped_row map = mapped_row_of(f.p->blocks, f.b, row.h, row.i);
  bool full = true;
  for (i64 j = row.begin, end; j < row.end; j = end) {
    const block_cells cells = cells_of(map, row.j0 + j);
    tile_row part = row;
    part.begin = j, part.end = end = min_of(row.end, cells.end - row.j0);
    full = full && cells.code == full_block;
    if (cells.code == empty_block) forbid(row.s, j, round_up(end, VL));
    else prepare_keys(f, part, range_in_row(part, range), cells);
  }
  return full ? range_in_row(row, range) : key_range{row.begin, row.begin};
}

// Scores of forbidden keys become -inf; counts the others. Keys up to the end of the last vector are overwritten. Returns
// the keys of the tile that causality, window and length allow, none where blocks forbid some.
static key_range prepare_row(forward_state& f, const tile_row& row) {
  const key_range range = keys_of(*f.p, f.b, row.i, row.i);
  if (f.p->blocks.codes) return prepare_blocks(f, row, range);
  const key_range keys = range_in_row(row, range);
  prepare_keys(f, row, keys, {});
  return keys;
}

// The largest score of keys from … past, two sums at a time.
static vf largest_score(const tile_row& row, i64 from, i64 past) {
  vf largest = splat(-infinity), other = largest;
  i64 j = from;
  for (; j + VL < past; j += 2 * VL) largest = max(load(row.s + j), largest), other = max(load(row.s + j + VL), other);
  if (j < past) largest = max(load(row.s + j), largest);
  return max(other, largest);
}

// Weights that dropout lets fall become 0, the others grow.
static void drop_row(const attention_problem& p, i64 b, const tile_row& row) {
  const u32 key = dropout_key(p, b, row.h, row.i);
  for (i64 j = row.begin; j < row.end; j += VL) store(row.s + j, drop(p, key, row.j0 + j, load(row.s + j)));
}
