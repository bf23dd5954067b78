// Scores by distance and attention sinks: what the operands `relative`, `relativeMass` and `sinks` add to the attention
// kernels. Included by attention_problem.inl.h, after `head`; docs/positions.md says what they are for.
//
//   s_ij += relative[b,h,i,r]   r = clamp(j - (i + offset) + reach, 0, R - 1)
//   mass[b,h,i,r] = Σ of the dropped weights of the keys in column r
//
// The keys of a row fall in three runs: before the table they read column 0, inside it neighbouring columns, so that VL of
// them are one load, behind it column R - 1. Sums over the outer runs take keys in lanes j mod VL, wherever a run starts,
// so that their bits depend on the row alone (N11, N12).
#pragma once

// One row of a table, for keys counted from the first of a tile.
struct relative_row {
  const float* table;  // column 0, or null
  i64 stride, R;
  i64 shift;           // column of key j before clipping: j + shift

  // Columns of keys j … j+VL-1.
  inline __attribute__((always_inline)) vf at(i64 j) const {
    const i64 r = j + shift;
    if (stride == 1 && r >= 0 && r + VL <= R) return load(table + r);
    if (r + VL <= 1) return splat(table[0]);
    if (r >= R - 1) return splat(table[(R - 1) * stride]);
    return clipped(r);
  }
  float clipped_cell() const { return table[max_of(0, min_of(R - 1, shift)) * stride]; }  // of key 0
  __attribute__((noinline)) vf clipped(i64 r) const {
    vf x{};
    for (int lane = 0; lane < VL; lane++) x[lane] = table[max_of(0, min_of(R - 1, r + lane)) * stride];
    return x;
  }
};

// Σ of x[j] for from <= j < to; reads whole vectors.
static float lane_sum(const float* x, i64 from, i64 to) {
  vf total{};
  const auto inside = [&](i64 j) {
    const vi lane = (lanes() >= (int)max_of(0, from - j)) & (lanes() < (int)min_of(VL, to - j));
    return select(lane, load(x + j), vf{});
  };
  i64 j = from / VL * VL;
  if (j < from) total = inside(j), j += VL;
  for (; j + VL <= to; j += VL) total += load(x + j);
  if (j < to) total += inside(j);
  return sum(total);
}

// sums[column of j] += x[j] for keys begin <= j < end; columns lie `stride` floats apart.
static void add_by_column(float* sums, i64 stride, i64 R, i64 shift, const float* x, i64 begin, i64 end) {
  const i64 first = max_of(begin, min_of(end, -shift)), past = max_of(first, min_of(end, R - shift));
  if (begin < first) sums[0] += lane_sum(x, begin, first);
  for (i64 j = first; j < past; j += VL) {
    const int count = (int)min_of(VL, past - j);
    float* to = sums + (j + shift) * stride;
    store_strided(to, stride, load_strided(to, stride, count) + load_partial(x + j, count), count);
  }
  if (past < end) sums[(R - 1) * stride] += lane_sum(x, past, end);
}
