// Packing: copies of operand blocks in the order in which the register tile reads them. Missing columns of the last
// vector become 0. Nothing is read past an operand's end.
#pragma once

constexpr i64 min_of(i64 a, i64 b) { return a < b ? a : b; }
constexpr i64 max_of(i64 a, i64 b) { return a > b ? a : b; }
constexpr i64 round_up(i64 x, i64 step) { return (x + step - 1) / step * step; }

// VL×VL corner of a transpose: target[c·step + r] = source[r·stride + c] for r < rows, c < columns.
static void pack_corner(float* target, i64 step, const float* source, i64 stride, int rows, int columns) {
  vf block[VL];
#pragma GCC unroll 16
  for (int r = 0; r < VL; r++) {
    if (r >= rows) block[r] = vf{};
    else block[r] = columns >= VL ? load(source + r * stride) : load_partial(source + r * stride, columns);
  }
  transpose(block);
  if (columns >= VL) {
#pragma GCC unroll 16
    for (int c = 0; c < VL; c++) store(target + c * step, block[c]);
    return;
  }
#pragma GCC unroll 16
  for (int c = 0; c < VL; c++)
    if (c < columns) store(target + c * step, block[c]);
}

// target[i·step + j] = source[i·i_stride + j·j_stride] for i < m, j < n; columns n … round_up(n, VL) become 0.
// Fast when either stride is 1.
static void pack(float* target, i64 step, const float* source, i64 i_stride, i64 j_stride, i64 m, i64 n) {
  if (i_stride == 1 && j_stride != 1 && m > 1) {
    for (i64 j = 0; j < n; j += VL)
      for (i64 i = 0; i < m; i += VL)
        pack_corner(target + i * step + j, step, source + i + j * j_stride, j_stride, (int)min_of(VL, n - j),
                    (int)min_of(VL, m - i));
    return;
  }
  for (i64 i = 0; i < m; i++)
    for (i64 j = 0; j < n; j += VL)
      store(target + i * step + j, load_strided(source + i * i_stride + j * j_stride, j_stride, (int)min_of(VL, n - j)));
}
