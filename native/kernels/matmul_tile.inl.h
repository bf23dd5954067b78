// The register tile: a few rows times a few vectors, the inner loop of matmul and of attention.
//
//   c[r][j] (=, += or rescaled +=)  Σ_k a[r·RowStep + k·KStep] · b[k·b_step + j],  k ascending
//
// Every element is one chain of fma from k = 0 up, whatever the tile's size, so its bits depend neither on how many
// rows or columns are computed beside it nor on which tile computes it. Next: matmul_pack.inl.h, then matmul.inl.h.
#pragma once

// 24 accumulators of 32 registers, 12 of 16, or 8 of 12 leave room for two vectors of b and one broadcast of a.
constexpr int tile_rows = vector_registers == 32 ? 12 : vector_registers == 16 ? 6 : 4;
constexpr int tile_vectors = 2;
constexpr int tile_columns = tile_vectors * VL;

enum tile_mode {
  tile_set,      // c = Σ
  tile_add,      // c = c + Σ
  tile_rescale,  // c = scale[r]·c + Σ
  tile_continue,  // c = the chain of fma goes on from c, which is readable for all rows of the tile
};

// Computes R rows and writes the first `rows` of them, in whole vectors; a must be readable for all R. c, a and b do not
// overlap.
template <int R, int V, int RowStep, int KStep, tile_mode Mode>
static __attribute__((noinline)) void multiply_tile(int rows, float* c, i64 c_step, const float* a, const float* b,
                                                    i64 b_step, i64 k, const float* scale) {
  vf sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) sum[r][v] = Mode == tile_continue ? load(c + r * c_step + v * VL) : vf{};
  for (i64 i = 0; i < k; i++, a += KStep, b += b_step) {
    vf b_i[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) b_i[v] = load(b + v * VL);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++) {
      vf a_ri = splat(a[r * RowStep]);
#pragma GCC unroll 4
      for (int v = 0; v < V; v++) sum[r][v] = fma(a_ri, b_i[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++) {
    if (r >= rows) return;
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      float* target = c + r * c_step + v * VL;
      if (Mode == tile_add) sum[r][v] = load(target) + sum[r][v];
      if (Mode == tile_rescale) sum[r][v] = fma(splat(scale[r]), load(target), sum[r][v]);
      store(target, sum[r][v]);
    }
  }
}

// Rows that a tile of `rows` computes: the next size that is compiled.
KEYHOLE_INLINE int padded_rows(int rows) {
  return rows <= 2 ? rows : rows <= 4 ? 4 : rows <= 8 && tile_rows > 8 ? 8 : tile_rows;
}

template <int V, int RowStep, int KStep, tile_mode Mode>
KEYHOLE_INLINE void multiply_rows(int rows, float* c, i64 c_step, const float* a, const float* b, i64 b_step, i64 k,
                                  const float* scale) {
  switch (padded_rows(rows)) {
    case 1: return multiply_tile<1, V, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k, scale);
    case 2: return multiply_tile<2, V, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k, scale);
    case 4: return multiply_tile<4, V, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k, scale);
    case 8:
      return multiply_tile<tile_rows < 8 ? tile_rows : 8, V, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k,
                                                                                   scale);
    default: return multiply_tile<tile_rows, V, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k, scale);
  }
}

// rows in [1, tile_rows], columns in [1, tile_columns].
template <int RowStep, int KStep, tile_mode Mode>
static void multiply(int rows, i64 columns, float* c, i64 c_step, const float* a, const float* b, i64 b_step, i64 k,
                     const float* scale = nullptr) {
  if (columns > VL) multiply_rows<2, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k, scale);
  else multiply_rows<1, RowStep, KStep, Mode>(rows, c, c_step, a, b, b_step, k, scale);
}
