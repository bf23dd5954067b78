// matmul_f32: out = activation(alpha · a·b + bias) + residual.
//
// out [A,B,M,N], a [A,B,M,K], b [A,B,K,N], bias [N] or none, residual [A,B,M,N] or none; any strides, so transposes and
// broadcast batches cost nothing to express. `=`. out overlaps no input.
//
// Passes: a task owns a block of rows × columns of one batch. For each block of K: pack a's rows (layout chosen by its
// strides), then by a few panels of tile_columns: pack b, run the register tile over all row groups, and add the result
// to out; the last block of K applies the epilogue. Few rows over a row-major b skip b's packing.
//
// Numerics: an element is Σ over blocks of k_block of one fma chain each, in order of k: N5, and its bits depend neither
// on M, N, the threads nor on the path taken (N12). Measured at K = 4096: 0.6 u·(|a|·|b|); 5 u at worst over small sizes.
//
// Speed, share of the FMA peak measured in the same run, one thread of a Zen 4 shared with other work: AVX-512
// 64×256×256 86 %, 4000×256×256 (x·Wᵀ) 74 %, 1024³ 63 to 70 %; 128-bit 60 %.
#pragma once

#include "matmul_pack.inl.h"
#include "matmul_tile.inl.h"

constexpr i64 k_block = 256;
constexpr i64 k_pitch = k_block + 16;  // rows of packed a must not share cache sets
constexpr i64 row_block = 20 * tile_rows;
constexpr i64 column_block = 1024;
constexpr i64 packed_a_floats = row_block * k_pitch;
constexpr i64 panels_packed = 4;  // panels of b packed together: a row of b is read in whole stretches
constexpr i64 packed_b_floats = panels_packed * k_block * tile_columns;
constexpr i64 result_floats = tile_rows * tile_columns;
constexpr i64 matmul_scratch_bytes = 4 * (packed_a_floats + packed_b_floats + result_floats);

struct matmul_plan {
  i64 rows, columns;              // of a task's block
  i64 row_blocks, column_blocks;
  i64 blocks;                     // over all batches
  i64 blocks_per_task;
  bool by_row;                    // packed a keeps its rows; else groups of tile_rows interleaved
  bool direct;                    // b is read where it lies
  float alpha;
  int activation;
};

// One batch: operands advanced to it.
struct matmul_batch {
  float* out;
  const float* a;
  const float* b;
  const float* residual;
};

static const float* advance(const view& v, i64 first, i64 second) {
  return v.data ? static_cast<const float*>(v.data) + first * v.stride[0] + second * v.stride[1] : nullptr;
}

static matmul_batch batch_of(const call& c, i64 index) {
  using namespace matmul_f32_call;
  i64 first = index / c.dim[d_B], second = index % c.dim[d_B];
  return {const_cast<float*>(advance(c.operand[o_out], first, second)), advance(c.operand[o_a], first, second),
          advance(c.operand[o_b], first, second), advance(c.operand[o_residual], first, second)};
}

// packed: row groups of tile_rows; by row [group][tile_rows][k_pitch], else [group][k][tile_rows].
static void pack_a(const call& c, const matmul_plan& plan, float* packed, const float* a, i64 rows, i64 k) {
  const view& v = c.operand[matmul_f32_call::o_a];
  for (i64 m = 0; m < rows; m += tile_rows, packed += tile_rows * k_pitch) {
    const float* a_m = a + m * v.stride[2];
    i64 count = min_of(tile_rows, rows - m);
    if (plan.by_row) {
      pack(packed, k_pitch, a_m, v.stride[2], v.stride[3], count, k);
      continue;
    }
    for (i64 i = 0; i < k; i++)
      for (int r = 0; r < tile_rows; r += VL) {
        vf x = load_strided(a_m + i * v.stride[3] + r * v.stride[2], v.stride[2], (int)max_of(0, min_of(VL, count - r)));
        store_partial(packed + i * tile_rows + r, x, min_of(VL, tile_rows - r));
      }
  }
}

// packed: [panel][k_block][tile_columns]. A row-major b is walked row by row across the panels: a power-of-two row stride
// would otherwise miss the cache and the TLB at every step (1024³: 47 % of the peak panel by panel).
static void pack_panels(float* packed, const float* b, const view& v, i64 k, i64 columns) {
  const i64 rows_at_once = v.stride[3] == 1 ? 8 : k;
  for (i64 i = 0; i < k; i += rows_at_once)
    for (i64 n = 0, panel = 0; n < columns; n += tile_columns, panel++)
      pack(packed + (panel * k_block + i) * tile_columns, tile_columns, b + i * v.stride[2] + n * v.stride[3], v.stride[2],
           v.stride[3], min_of(rows_at_once, k - i), min_of(tile_columns, columns - n));
}

static vf activate(vf x, int activation) {
  switch (activation) {
    case activations::relu_: return select(x < vf{}, vf{}, x);
    case activations::gelu_: return vgelu(x);
    default: return x;
  }
}

// out (=, or += after the first block of K) the tile's result; the epilogue comes with the last block.
static void finish_tile(const call& c, const matmul_plan& plan, const matmul_batch& batch, const float* result, i64 m,
                        i64 n, int rows, int columns, bool first, bool last) {
  using namespace matmul_f32_call;
  const view& to = c.operand[o_out];
  const view& res = c.operand[o_residual];
  const view& bias = c.operand[o_bias];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < columns; j += VL) {
      int count = (int)min_of(VL, columns - j);
      float* out = batch.out + (m + r) * to.stride[2] + (n + j) * to.stride[3];
      vf x = load(result + r * tile_columns + j);
      if (!first) x = load_strided(out, to.stride[3], count) + x;
      if (last) {
        const float* bias_j = static_cast<const float*>(bias.data) + (n + j) * bias.stride[0];
        x = bias.data ? fma(splat(plan.alpha), x, load_strided(bias_j, bias.stride[0], count)) : splat(plan.alpha) * x;
        x = activate(x, plan.activation);
        if (batch.residual)
          x += load_strided(batch.residual + (m + r) * res.stride[2] + (n + j) * res.stride[3], res.stride[3], count);
      }
      store_strided(out, to.stride[3], x, count);
    }
}

static void matmul_block(const call& c, const matmul_plan& plan, i64 index, float* scratch) {
  using namespace matmul_f32_call;
  const view& va = c.operand[o_a];
  const view& vb = c.operand[o_b];
  float* packed_a = scratch;
  float* packed_b = packed_a + packed_a_floats;
  float* result = packed_b + packed_b_floats;
  const matmul_batch batch = batch_of(c, index / (plan.row_blocks * plan.column_blocks));
  const i64 m0 = index / plan.column_blocks % plan.row_blocks * plan.rows, n0 = index % plan.column_blocks * plan.columns;
  const i64 m1 = min_of(c.dim[d_M], m0 + plan.rows), n1 = min_of(c.dim[d_N], n0 + plan.columns), K = c.dim[d_K];
  i64 k0 = 0;
  do {
    const i64 k = min_of(k_block, K - k0);
    pack_a(c, plan, packed_a, batch.a + m0 * va.stride[2] + k0 * va.stride[3], m1 - m0, k);
    for (i64 n = n0; n < n1; n += tile_columns) {
      const int columns = (int)min_of(tile_columns, n1 - n);
      const float* b = batch.b + k0 * vb.stride[2] + n * vb.stride[3];
      i64 b_step = vb.stride[2];
      if (!plan.direct || columns < tile_columns) {
        const i64 panel = plan.direct ? 0 : (n - n0) / tile_columns % panels_packed;
        if (panel == 0) pack_panels(packed_b, b, vb, k, min_of(panels_packed * tile_columns, n1 - n));
        b = packed_b + panel * k_block * tile_columns;
        b_step = tile_columns;
      }
      for (i64 m = m0; m < m1; m += tile_rows) {
        const int rows = (int)min_of(tile_rows, m1 - m);
        const float* a = packed_a + (m - m0) * k_pitch;
        if (plan.by_row) multiply<k_pitch, 1, tile_set>(rows, columns, result, tile_columns, a, b, b_step, k);
        else multiply<1, tile_rows, tile_set>(rows, columns, result, tile_columns, a, b, b_step, k);
        finish_tile(c, plan, batch, result, m, n, rows, columns, k0 == 0, k0 + k >= K);
      }
    }
    k0 += k_block;
  } while (k0 < K);
}

static void matmul_task(const call& c, i64 index, int worker, void* state) {
  const matmul_plan& plan = *static_cast<const matmul_plan*>(state);
  float* scratch = static_cast<float*>(c.scratch(c, worker, matmul_scratch_bytes));
  const i64 end = min_of(plan.blocks, (index + 1) * plan.blocks_per_task);
  for (i64 block = index * plan.blocks_per_task; block < end; block++) matmul_block(c, plan, block, scratch);
}

// Blocks are cut smaller while there are too few for the threads and each is still worth a task; tiny ones are
// grouped. Neither choice changes a bit of the result.
static matmul_plan plan_matmul(const call& c) {
  using namespace matmul_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N], K = c.dim[d_K], batches = c.dim[d_A] * c.dim[d_B];
  const i64 worthwhile = 1 << 17;  // multiplications, ~10 µs
  const view& b = c.operand[o_b];
  matmul_plan plan{};
  plan.rows = min_of(row_block, round_up(M, tile_rows));
  plan.columns = min_of(column_block, round_up(N, tile_columns));
  auto blocks = [&] { return batches * ((M + plan.rows - 1) / plan.rows) * ((N + plan.columns - 1) / plan.columns); };
  while (c.threads > 1 && blocks() < 2 * c.threads && plan.rows * plan.columns * K > 2 * worthwhile) {
    if (plan.columns > tile_columns && plan.columns >= plan.rows) plan.columns = round_up(plan.columns / 2, tile_columns);
    else if (plan.rows > tile_rows) plan.rows = round_up(plan.rows / 2, tile_rows);
    else break;
  }
  plan.row_blocks = (M + plan.rows - 1) / plan.rows;
  plan.column_blocks = (N + plan.columns - 1) / plan.columns;
  plan.blocks = blocks();
  plan.blocks_per_task = max_of(1, worthwhile / max_of(1, plan.rows * plan.columns * K));
  plan.by_row = c.operand[o_a].stride[3] == 1 || K == 1;
  plan.direct = b.stride[3] == 1 && M <= 2 * tile_rows;
  plan.alpha = (float)c.scalar[s_alpha];
  plan.activation = (int)c.scalar[s_activation];
  return plan;
}

static int matmul_f32(const call& c) {
  using namespace matmul_f32_call;
  if (c.dim[d_M] == 0 || c.dim[d_N] == 0 || c.dim[d_A] * c.dim[d_B] == 0) return ok;
  const double activation = c.scalar[s_activation];
  if (!(activation >= 0 && activation < activations::count && activation == (int)activation)) return bad_scalar;
  for (int worker = 0; worker < c.threads; worker++)
    if (!c.scratch(c, worker, matmul_scratch_bytes)) return out_of_memory;
  matmul_plan plan = plan_matmul(c);
  c.parallel(c, (plan.blocks + plan.blocks_per_task - 1) / plan.blocks_per_task, matmul_task, &plan);
  return ok;
}
