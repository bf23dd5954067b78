// copy: out[…] = a[…] `=`, every bit kept, any strides. Where rows of `out` are columns of `a` the copy goes through
// blocks of copy_block × copy_block, VL × VL at a time in registers, so that both sides move whole cache lines.
#pragma once

constexpr i64 copy_block = 64;

struct transpose_plan {
  elementwise_loop loop;  // operands: out, a
  int row;                // axis along which a is contiguous; out is contiguous along the last
  i64 row_blocks, column_blocks;
};

// One block of at most copy_block²: out[r·out_step + c] = a[c·a_step + r].
static void copy_transposed(float* out, i64 out_step, const float* a, i64 a_step, i64 rows, i64 columns) {
  for (i64 r = 0; r < rows; r += VL)
    for (i64 c = 0; c < columns; c += VL) {
      const int height = (int)min_of(VL, rows - r), width = (int)min_of(VL, columns - c);
      vf block[VL];
#pragma GCC unroll 16
      for (int i = 0; i < VL; i++) {
        const float* from = a + (c + i) * a_step + r;
        block[i] = i >= width ? vf{} : height == VL ? load(from) : load_partial(from, height);
      }
      transpose(block);
#pragma GCC unroll 16
      for (int i = 0; i < VL; i++) {
        if (i >= height) continue;
        float* to = out + (r + i) * out_step + c;
        if (width == VL) store(to, block[i]);
        else store_partial(to, block[i], width);
      }
    }
}

static void transpose_task(const call& c, i64 index, int, void* state) {
  const transpose_plan& plan = *static_cast<transpose_plan*>(state);
  const elementwise_loop& loop = plan.loop;
  const int column = loop.rank - 1;
  const i64 first_column = index % plan.column_blocks * copy_block;
  const i64 first_row = index / plan.column_blocks % plan.row_blocks * copy_block;
  i64 rest = index / plan.column_blocks / plan.row_blocks;
  float* out = c.f32(0) + first_row * loop.stride[0][plan.row] + first_column;
  const float* a = c.f32(1) + first_row + first_column * loop.stride[1][column];
  for (int axis = column - 1; axis >= 0; axis--) {
    if (axis == plan.row) continue;
    out += rest % loop.size[axis] * loop.stride[0][axis];
    a += rest % loop.size[axis] * loop.stride[1][axis];
    rest /= loop.size[axis];
  }
  copy_transposed(out, loop.stride[0][plan.row], a, loop.stride[1][column],
                  min_of(copy_block, loop.size[plan.row] - first_row),
                  min_of(copy_block, loop.size[column] - first_column));
}

static int copy_f32(const call& c) {
  transpose_plan plan{};
  plan.loop = join_axes(c, 2);
  const elementwise_loop& loop = plan.loop;
  const int column = loop.rank - 1;
  plan.row = -1;
  for (int axis = 0; axis < column; axis++)
    if (loop.stride[1][axis] == 1) plan.row = axis;
  if (plan.row < 0 || loop.stride[0][column] != 1 || loop.stride[1][column] <= 1)
    return map1(c, [](vf x) KEYHOLE_LAMBDA { return x; });
  plan.row_blocks = (loop.size[plan.row] + copy_block - 1) / copy_block;
  plan.column_blocks = (loop.size[column] + copy_block - 1) / copy_block;
  i64 blocks = plan.row_blocks * plan.column_blocks;
  for (int axis = 0; axis < column; axis++)
    if (axis != plan.row) blocks *= loop.size[axis];
  if (loop.total < 2 * elementwise_unit)
    for (i64 i = 0; i < blocks; i++) transpose_task(c, i, 0, &plan);
  else
    c.parallel(c, blocks, transpose_task, &plan);
  return ok;
}
