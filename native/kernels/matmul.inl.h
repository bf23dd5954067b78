// matmul_f32: out = activation(alpha · a·b + bias) + residual.
//
// out [A,B,M,N], a [A,B,M,K], b [A,B,K,N], bias [N] or none, residual [A,B,M,N] or none; any strides, so transposes and
// broadcast batches cost nothing to express. `=`. out overlaps no input.
//
// Passes: a task owns a block of rows × columns of one batch. For each block of K: pack the block's b once, into panels
// that stay in the second-level cache. Then by groups of tile_rows rows: pack a (layout chosen by its strides), run the
// register tile over all panels, straight into out, and with the last block of K apply the epilogue. Few rows over a
// row-major b skip b's packing.
//
// Numerics: an element is Σ over blocks of K of one fma chain each, in order of k: N5. K alone decides where the blocks
// end, so the bits depend neither on M, N, the threads nor on the path taken (N12). Measured errors: docs/numerics.md.
//
// Speed, share of the FMA peak measured in the same run, one thread of a Zen 4: AVX-512 1024³ 85 %, 1024×512×128 (x·Wᵀ)
// 92 %, 512×128×1024 (xᵀ·dy) 80 %, 64³ about 50 %.
#pragma once

#include "matmul_epilogue.inl.h"
#include "matmul_plan.inl.h"

// A block of K of a task's block of out: rows m0 … m1, columns n0 … n1, and k terms from k0 on.
struct matmul_step {
  matmul_batch batch;
  i64 m0, m1, n0, n1;
  i64 k0, k;
  i64 in_place;  // columns of b that are read where they lie
  float* packed_b;
  float* packed_a;
  float* result;
};

// packed: row groups of tile_rows, by row [group][tile_rows][k_pitch], else [group][k][tile_rows]; there every vector
// runs over into the next k, which overwrites it.
static void pack_a(const call& c, const matmul_plan& plan, const matmul_step& s, i64 m, i64 rows) {
  const view& v = c.operand[matmul_f32_call::o_a];
  const float* a = s.batch.a + m * v.stride[2] + s.k0 * v.stride[3];
  if (plan.by_row) return pack(s.packed_a, k_pitch, a, v.stride[2], v.stride[3], rows, s.k);
  for (i64 g = 0; g < rows; g += tile_rows)
    for (i64 i = 0; i < s.k; i++)
      for (int r = 0; r < tile_rows; r += VL) {
        const int count = (int)max_of(0, min_of(min_of(VL, tile_rows - r), rows - g - r));
        store(s.packed_a + g * k_pitch + i * tile_rows + r,
              load_strided(a + i * v.stride[3] + (g + r) * v.stride[2], v.stride[2], count));
      }
}

// Asks for one of `parts` shares of the row group at m, which is packed next: each of its rows starts on a page of its
// own when a's rows are long, and no hardware foresees that.
static void prefetch_a(const call& c, const matmul_plan& plan, const matmul_step& s, i64 m, i64 part, i64 parts) {
  const view& v = c.operand[matmul_f32_call::o_a];
  const float* a = s.batch.a + s.k0 * v.stride[3];
  const i64 rows = min_of(rows_at_once, s.m1 - m);
  if (rows <= 0) return;
  if (!plan.by_row) {
    for (i64 i = s.k * part / parts; i < s.k * (part + 1) / parts; i++)
      __builtin_prefetch(a + m * v.stride[2] + i * v.stride[3], 0, 2);
    return;
  }
  for (i64 r = rows * part / parts; r < rows * (part + 1) / parts; r++)
    for (i64 i = 0; i < s.k; i += 16) __builtin_prefetch(a + (m + r) * v.stride[2] + i * v.stride[3], 0, 2);
}

// packed: [panel][k][tile_columns]. A row-major b is walked row by row across the panels, in whole stretches and with
// the rows to come asked for: panel by panel, a power-of-two row stride would miss the cache and the TLB at every step.
static void pack_b(const call& c, const matmul_step& s) {
  const view& v = c.operand[matmul_f32_call::o_b];
  const i64 step = v.stride[3] == 1 ? 8 : s.k, columns = s.n1 - s.n0 - s.in_place;
  for (i64 i = 0; i < s.k && columns > 0; i += step) {
    const float* b = s.batch.b + (s.k0 + i) * v.stride[2] + (s.n0 + s.in_place) * v.stride[3];
    const i64 rows = min_of(step, s.k - i);
    for (i64 r = step; r < min_of(2 * step, s.k - i); r++)
      for (i64 n = 0; n < columns; n += 16) __builtin_prefetch(b + r * v.stride[2] + n * v.stride[3]);
    for (i64 n = 0; n < columns; n += tile_columns)
      pack(s.packed_b + n * s.k + i * tile_columns, tile_columns, b + n * v.stride[3], v.stride[2], v.stride[3], rows,
           min_of(tile_columns, columns - n));
  }
}

// out (= or +=) result.
static void put_result(float* out, const view& to, const float* result, int rows, int columns, bool first) {
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < columns; j += VL) {
      const int count = (int)min_of(VL, columns - j);
      float* target = out + r * to.stride[2] + j * to.stride[3];
      vf x = load(result + r * tile_columns + j);
      if (!first) x = load_strided(target, to.stride[3], count) + x;
      store_strided(target, to.stride[3], x, count);
    }
}

template <int RowStep, int KStep>
static void multiply_panel(const call& c, const matmul_step& s, i64 m, i64 n, int rows, int columns, const float* a,
                           const float* b, i64 b_step) {
  const view& to = c.operand[matmul_f32_call::o_out];
  float* out = s.batch.out + m * to.stride[2] + n * to.stride[3];
  if (to.stride[3] != 1 || columns % VL != 0) {
    multiply<RowStep, KStep, tile_set>(rows, columns, s.result, tile_columns, a, b, b_step, s.k);
    return put_result(out, to, s.result, rows, columns, s.k0 == 0);
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < columns; j += 16) __builtin_prefetch(out + r * to.stride[2] + j, 1);
  if (s.k0 == 0) multiply<RowStep, KStep, tile_set>(rows, columns, out, to.stride[2], a, b, b_step, s.k);
  else multiply<RowStep, KStep, tile_add>(rows, columns, out, to.stride[2], a, b, b_step, s.k);
}

// Rows m … m + rows, packed in packed_a, times all panels.
static void multiply_rows_at_once(const call& c, const matmul_plan& plan, const matmul_step& s, i64 m, i64 rows) {
  const view& vb = c.operand[matmul_f32_call::o_b];
  const i64 parts = parts_of(s.n1 - s.n0, tile_columns);
  for (i64 n = s.n0, part = 0; n < s.n1; n += tile_columns, part++) {
    const int columns = (int)min_of(tile_columns, s.n1 - n);
    const bool in_place = n - s.n0 < s.in_place;
    const float* b = in_place ? s.batch.b + s.k0 * vb.stride[2] + n : s.packed_b + (n - s.n0 - s.in_place) * s.k;
    const i64 b_step = in_place ? vb.stride[2] : tile_columns;
    prefetch_a(c, plan, s, m + rows_at_once, part, parts);
    for (i64 g = 0; g < rows; g += tile_rows) {
      const int count = (int)min_of(tile_rows, rows - g);
      const float* a = s.packed_a + g * k_pitch;
      if (plan.by_row) multiply_panel<k_pitch, 1>(c, s, m + g, n, count, columns, a, b, b_step);
      else multiply_panel<1, tile_rows>(c, s, m + g, n, count, columns, a, b, b_step);
    }
  }
}

static void matmul_block(const call& c, const matmul_plan& plan, i64 index, float* scratch) {
  using namespace matmul_f32_call;
  matmul_step s{};
  s.batch = batch_of(c, index / (plan.row_blocks * plan.column_blocks));
  s.m0 = index / plan.column_blocks % plan.row_blocks * plan.rows, s.m1 = min_of(c.dim[d_M], s.m0 + plan.rows);
  s.n0 = index % plan.column_blocks * plan.columns, s.n1 = min_of(c.dim[d_N], s.n0 + plan.columns);
  s.in_place = plan.direct ? (s.n1 - s.n0) / tile_columns * tile_columns : 0;
  s.packed_b = scratch;
  s.packed_a = s.packed_b + packed_b_floats;
  s.result = s.packed_a + packed_a_floats;
  do {
    s.k = min_of(plan.k_step, c.dim[d_K] - s.k0);
    const bool last = s.k0 + s.k >= c.dim[d_K];
    pack_b(c, s);
    for (i64 m = s.m0; m < s.m1; m += rows_at_once) {
      const i64 rows = min_of(rows_at_once, s.m1 - m);
      pack_a(c, plan, s, m, rows);
      multiply_rows_at_once(c, plan, s, m, rows);
      if (last && plan.epilogue) apply_epilogue(c, plan, s.batch, m, s.n0, rows, s.n1 - s.n0);
    }
    s.k0 += s.k;
  } while (s.k0 < c.dim[d_K]);
}

static void matmul_task(const call& c, i64 index, int worker, void* state) {
  const matmul_plan& plan = *static_cast<const matmul_plan*>(state);
  float* scratch = static_cast<float*>(c.scratch(c, worker, matmul_scratch_bytes));
  const i64 end = min_of(plan.blocks, (index + 1) * plan.blocks_per_task);
  for (i64 block = index * plan.blocks_per_task; block < end; block++) matmul_block(c, plan, block, scratch);
}

static int matmul_f32(const call& c) {
  using namespace matmul_f32_call;
  if (c.dim[d_M] == 0 || c.dim[d_N] == 0 || c.dim[d_A] * c.dim[d_B] == 0) return ok;
  const double activation = c.scalar[s_activation];
  if (!(activation >= 0 && activation < activations::count && activation == (int)activation)) return bad_scalar;
  for (int worker = 0; worker < c.threads; worker++)
    if (!c.scratch(c, worker, matmul_scratch_bytes)) return out_of_memory;
  matmul_plan plan = plan_matmul(c);
  c.parallel(c, parts_of(plan.blocks, plan.blocks_per_task), matmul_task, &plan);
  return ok;
}
