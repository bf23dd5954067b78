// One row of a score tile made ready for the softmax: what is forbidden becomes -inf, softcap and bias are applied. And the
// exponential that turns it into weights. Next: attention_statistics.inl.h.
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
  return select(x < splat(-126.0f), vf{}, as_float(as_int(y) + (as_int(shifted) << 23)));
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

// The mask and the bias of a row: scores become softcap(scale·s) + bias where those are in use, and -inf where forbidden;
// returns the number of keys in [first, past) that stay.
static i64 apply_masks(const forward_state& f, const tile_row& row, i64 first, i64 past) {
  const attention_problem& p = *f.p;
  const mask_row masks = mask_row_of(p, f.b, row.h, row.i);
  const vf scale = splat(p.scale < 0 ? -p.scale : p.scale), cap = splat(p.softcap);
  const i64 bias_stride = masks.bias ? p.bias->stride[3] : 0, mask_stride = masks.mask ? p.mask->stride[3] : 0;
  vi keys{};
  for (i64 j = row.begin; j < row.end; j += VL) {
    const int count = (int)min_of(VL, row.end - j);
    vi allowed = j >= first && j + VL <= past ? splat_int(-1) : lanes_inside(j, first, past);
    vf x = load(row.s + j);
    if (f.natural) x *= scale;
    if (p.softcap > 0) x = cap * vtanh(x / cap);
    if (masks.bias) {
      const vf bias = load_strided(masks.bias + (row.j0 + j) * bias_stride, bias_stride, count);
      allowed &= bias != splat(-infinity);
      x += bias;
    }
    if (masks.mask)
      allowed &= load_bytes_strided(masks.mask + (row.j0 + j) * mask_stride, mask_stride, count) != 0;
    store(row.s + j, select(allowed, x, splat(-infinity)));
    keys -= allowed;
  }
  return (i64)sum(to_float(keys));
}

// Scores of forbidden keys become -inf; counts the others. Keys up to the end of the last vector are overwritten.
static void prepare_row(forward_state& f, const tile_row& row) {
  const attention_problem& p = *f.p;
  const key_range range = keys_of(p, f.b, row.i, row.i);
  const i64 end = round_up(row.end, VL);
  const i64 first = max_of(row.begin, min_of(end, range.begin - row.j0)), past = max_of(first, min_of(end, range.end - row.j0));
  if (p.mask || f.natural) {
    f.keys[row.r] += (float)apply_masks(f, row, first, past);
    return;
  }
  forbid(row.s, row.begin, first);
  forbid(row.s, past, end);
  f.keys[row.r] += (float)(past - first);
}
