// How a matmul is cut: blocks of K, column blocks whose packed b stays in the second-level cache, and tasks for the
// threads. Only K decides where its sums are cut, so nothing else here changes a bit of a result. Next: matmul.inl.h.
#pragma once

#include "matmul_pack.inl.h"
#include "matmul_tile.inl.h"

constexpr i64 k_block = 256;
constexpr i64 k_pitch = k_block + 16;  // rows of packed a must not share cache sets
constexpr i64 column_block = 512;      // 512 KiB of packed b, half of a Zen 4's second level
constexpr i64 rows_at_once = 2 * tile_rows;  // that share a panel of b while the first-level cache holds it
constexpr i64 packed_a_floats = rows_at_once * k_pitch;
constexpr i64 packed_b_floats = k_block * column_block;
constexpr i64 result_floats = tile_rows * tile_columns;
constexpr i64 matmul_scratch_bytes = 4 * (packed_a_floats + packed_b_floats + result_floats);

struct matmul_plan {
  i64 rows, columns;  // of a task's block
  i64 row_blocks, column_blocks;
  i64 blocks;         // over all batches
  i64 blocks_per_task;
  i64 k_step;         // K is cut into as few equal pieces as k_block allows
  bool by_row;        // packed a keeps its rows; else they are interleaved
  bool direct;        // whole panels of b are read where they lie
  bool epilogue;      // there is something to do after the product
  float alpha;
  int activation;
};

constexpr i64 parts_of(i64 whole, i64 part) { return (whole + part - 1) / part; }

// Blocks are cut smaller while there are too few for the threads and each is still worth a task; tiny ones are grouped.
static void share_among_threads(matmul_plan& plan, i64 threads, i64 batches, i64 M, i64 N, i64 K) {
  const i64 worthwhile = 1 << 17;  // multiplications, ~10 µs
  plan.rows = round_up(M, tile_rows);
  plan.columns = min_of(column_block, round_up(N, tile_columns));
  auto blocks = [&] { return batches * parts_of(M, plan.rows) * parts_of(N, plan.columns); };
  while (threads > 1 && blocks() < 2 * threads && plan.rows * plan.columns * K > 2 * worthwhile) {
    if (plan.columns > tile_columns && plan.columns >= plan.rows) plan.columns = round_up(plan.columns / 2, tile_columns);
    else if (plan.rows > tile_rows) plan.rows = round_up(plan.rows / 2, tile_rows);
    else break;
  }
  plan.row_blocks = parts_of(M, plan.rows);
  plan.column_blocks = parts_of(N, plan.columns);
  plan.blocks = blocks();
  plan.blocks_per_task = max_of(1, worthwhile / max_of(1, plan.rows * plan.columns * K));
}

static matmul_plan plan_matmul(const call& c) {
  using namespace matmul_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N], K = c.dim[d_K];
  matmul_plan plan{};
  share_among_threads(plan, c.threads, c.dim[d_A] * c.dim[d_B], M, N, K);
  plan.k_step = round_up(parts_of(K, max_of(1, parts_of(K, k_block))), 16);
  plan.by_row = c.operand[o_a].stride[3] == 1 || K == 1;
  plan.direct = c.operand[o_b].stride[3] == 1 && M <= rows_at_once;
  plan.alpha = (float)c.scalar[s_alpha];
  plan.activation = (int)c.scalar[s_activation];
  plan.epilogue = plan.alpha != 1 || plan.activation != activations::none || c.operand[o_bias].data ||
                  c.operand[o_residual].data;
  return plan;
}
