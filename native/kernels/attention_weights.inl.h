// attention_weights_f32: the probabilities themselves, recomputed from lse for the rows and keys that the views show.
//
// weights [B,H,L,S]; q [B,H,L,D], k [B,G,S,D], lse [B,H,L], mask and bias [B,H,L,S] or none, lengths [B] or
// none, relative [B,H,L,R] or none; any
// strides. `=`. p_ij = e^(s_ij - lse_i); forbidden cells are exactly 0, also where lse is NaN or -inf.
//
// Passes: a task owns tile_rows query rows of one head; per tile of key_block keys: pack k, scores, exp, write.
#pragma once

#include "attention_problem.inl.h"

static i64 weights_scratch_floats(const attention_problem& p) {
  return packed_rows_floats(tile_rows, p.D) + key_block * p.D + tile_rows * tile_pitch +
         program_floats(p.program, tile_pitch) + 64;
}

static void write_weights_tile(const call& c, const attention_problem& p, i64 b, i64 h, i64 i, i64 rows, i64 j0, i64 keys,
                               float* tile) {
  using namespace attention_weights_f32_call;
  const view& to = c.operand[o_weights];
  const view& lse = c.operand[o_lse];
  for (i64 r = 0; r < rows; r++) {
    score_row row = score_row_of(p, b, h, i + r, tile + r * tile_pitch, j0, 0, keys);
    row.run.values = tile + tile_rows * tile_pitch;
    finish_scores(p, row);
    const float lse_i = head(lse, b, h)[(i + r) * lse.stride[2]];
    float* weights = head(to, b, h) + (i + r) * to.stride[2] + j0 * to.stride[3];
    for (i64 j = 0; j < keys; j += VL)
      store_strided(weights + j * to.stride[3], to.stride[3], probability(load(row.s + j), lse_i),
                    (int)min_of(VL, keys - j));
  }
}

static void weights_task(const call& c, i64 index, int worker, void* state) {
  const attention_problem& p = *static_cast<const attention_problem*>(state);
  const i64 blocks = (p.L + tile_rows - 1) / tile_rows;
  const i64 b = index / blocks / p.H, h = index / blocks % p.H, i = index % blocks * tile_rows, g = h / (p.H / p.G);
  const i64 rows = min_of(tile_rows, p.L - i);
  float* q_rows = static_cast<float*>(c.scratch(c, worker, weights_scratch_floats(p) * 4));
  float* k_panels = q_rows + packed_rows_floats(tile_rows, p.D);
  float* tile = k_panels + key_block * p.D;
  pack_rows(q_rows, tile_rows, head(*p.q, b, h) + i * p.q->stride[2], p.q->stride[2], p.q->stride[3], rows, p.D);
  for (i64 j0 = 0; j0 < p.S; j0 += key_block) {
    const i64 keys = min_of(key_block, p.S - j0);
    pack_keys(k_panels, head(*p.k, b, g) + j0 * p.k->stride[2], p.k->stride[2], p.k->stride[3], keys, p.D);
    score_tile(tile, q_rows, tile_rows, k_panels, (int)rows, 0, keys, p.D);
    write_weights_tile(c, p, b, h, i, rows, j0, keys, tile);
  }
}

static int attention_weights_f32(const call& c) {
  using namespace attention_weights_f32_call;
  attention_problem p = read_problem(c, o_q, o_k, o_k, o_mask, o_bias, o_lengths);
  read_relative(p, c, o_relative);
  if (bad_problem(p)) return bad_scalar;
  score_program program;
  if (!take_program(p, program, c, o_program, o_captured)) return bad_program;
  for (int worker = 0; worker < c.threads; worker++)
    if (!c.scratch(c, worker, weights_scratch_floats(p) * 4)) return out_of_memory;
  const i64 blocks = (p.L + tile_rows - 1) / tile_rows;
  if (p.B * p.H * blocks > 0) c.parallel(c, p.B * p.H * blocks, weights_task, &p);
  return ok;
}
