// reduce and argmax over the middle axis of [M, K, N], and square_sum; any strides, `=`.
//
// K is cut into chunks whose length depends on nothing but the path: each chunk makes one partial result in scratch,
// and the partial results of an element are joined in their order. Lanes run along N, or along K where that is where
// the memory is contiguous. Bound by memory.
#pragma once

constexpr i64 lanes_along_k_chunk = 4096;
constexpr i64 lanes_along_n_chunk = 256;
constexpr i64 reduce_strip = 256;  // most columns of N in one cell

struct reduce_plan {
  int op;
  bool along_k;
  i64 chunk, chunks;       // of K
  i64 strip, strips;       // of N
  i64 tasks, cells;        // cells = M · strips · chunks
  i64 cells_per_task;
  float* partial;          // [M][chunks][N]; null when a cell is a whole result
};

KEYHOLE_INLINE float reduce_start(int op) {
  return op == reduceOps::max_ ? -__builtin_inff() : op == reduceOps::min_ ? __builtin_inff() : 0.0f;
}

KEYHOLE_INLINE vf reduce_join(int op, vf a, vf b) {
  if (op == reduceOps::max_) return maximum_or_nan(a, b);
  if (op == reduceOps::min_) return minimum_or_nan(a, b);
  return a + b;
}

// The lanes of one vector together, lane i with lane i + VL/2, and so on.
static float reduce_lanes(int op, vf x) {
  if (op != reduceOps::max_ && op != reduceOps::min_) return sum(x);
  float result = x[0];
  for (int lane = 1; lane < VL; lane++) {
    const float y = x[lane];
    if (y != y || (op == reduceOps::max_ ? y > result : y < result)) result = result != result ? result : y;
  }
  return result;
}

template <int Op>
static float reduce_along_k(const float* a, i64 stride, i64 K) {
  vf total = splat(reduce_start(Op));
  i64 k = 0;
  for (; k + VL <= K; k += VL) total = reduce_join(Op, total, load_any(a + k * stride, stride, VL));
  if (k < K) {
    const int count = (int)(K - k);
    total = reduce_join(Op, total, with_tail(load_any(a + k * stride, stride, count), count, reduce_start(Op)));
  }
  return reduce_lanes(Op, total);
}

// partial[n] = Σ over k for n < width, four vectors at a time.
template <int Op>
static void reduce_along_n(float* partial, const float* a, i64 k_stride, i64 n_stride, i64 K, i64 width) {
  i64 n = 0;
  if (n_stride == 1)
    for (; n + 4 * VL <= width; n += 4 * VL) {
      vf total[4];
      for (int v = 0; v < 4; v++) total[v] = splat(reduce_start(Op));
      for (i64 k = 0; k < K; k++)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) total[v] = reduce_join(Op, total[v], load(a + k * k_stride + n + v * VL));
      for (int v = 0; v < 4; v++) store(partial + n + v * VL, total[v]);
    }
  for (; n < width; n += VL) {
    const int count = (int)min_of(VL, width - n);
    vf total = splat(reduce_start(Op));
    for (i64 k = 0; k < K; k++)
      total = reduce_join(Op, total, load_any(a + k * k_stride + n * n_stride, n_stride, count));
    store_partial(partial + n, total, count);
  }
}

KEYHOLE_INLINE void store_reduced(const call& c, const reduce_plan& plan, i64 m, i64 n, vf total, int count) {
  using namespace reduce_f32_call;
  const view& out = c.operand[o_out];
  if (plan.op == reduceOps::mean_) total /= splat((float)c.dim[d_K]);
  store_strided(c.f32(o_out) + m * out.stride[0] + n * out.stride[1], out.stride[1], total, count);
}

template <int Op>
static void reduce_cell(const call& c, const reduce_plan& plan, i64 cell) {
  using namespace reduce_f32_call;
  const view& a = c.operand[o_a];
  const i64 strip = cell % plan.strips, chunk = cell / plan.strips % plan.chunks, m = cell / plan.strips / plan.chunks;
  const i64 first_n = strip * plan.strip, first_k = chunk * plan.chunk;
  const i64 width = min_of(plan.strip, c.dim[d_N] - first_n), depth = min_of(plan.chunk, c.dim[d_K] - first_k);
  const float* from = c.f32(o_a) + m * a.stride[0] + first_k * a.stride[1] + first_n * a.stride[2];
  float whole[reduce_strip];
  float* to = plan.partial ? plan.partial + (m * plan.chunks + chunk) * c.dim[d_N] + first_n : whole;
  if (!plan.along_k) reduce_along_n<Op>(to, from, a.stride[1], a.stride[2], depth, width);
  else
    for (i64 n = 0; n < width; n++) to[n] = reduce_along_k<Op>(from + n * a.stride[2], a.stride[1], depth);
  if (!plan.partial)
    for_each_vector(width, [&](i64 n, int count) {
      store_reduced(c, plan, m, first_n + n, load_partial(whole + n, count), count);
    });
}

static void reduce_task(const call& c, i64 index, int, void* state) {
  const reduce_plan& plan = *static_cast<reduce_plan*>(state);
  const i64 end = min_of(plan.cells, (index + 1) * plan.cells_per_task);
  for (i64 cell = index * plan.cells_per_task; cell < end; cell++) {
    if (plan.op == reduceOps::max_) reduce_cell<reduceOps::max_>(c, plan, cell);
    else if (plan.op == reduceOps::min_) reduce_cell<reduceOps::min_>(c, plan, cell);
    else reduce_cell<reduceOps::sum_>(c, plan, cell);
  }
}

// out[m, n] = partial results of all chunks, joined in order; the mean divides once.
static void finish_reduce(const call& c, const reduce_plan& plan) {
  using namespace reduce_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N];
  for (i64 m = 0; m < M; m++)
    for_each_vector(N, [&](i64 n, int count) {
      vf total = splat(reduce_start(plan.op));
      for (i64 chunk = 0; chunk < plan.chunks; chunk++)
        total = reduce_join(plan.op, total, load_partial(plan.partial + (m * plan.chunks + chunk) * N + n, count));
      store_reduced(c, plan, m, n, total, count);
    });
}

static int reduce_f32(const call& c) {
  using namespace reduce_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N], K = c.dim[d_K];
  const view& a = c.operand[o_a];
  reduce_plan plan{};
  plan.op = operation_code(c.scalar[s_op], reduceOps::count);
  if (plan.op < 0) return bad_scalar;
  plan.along_k = N == 1 || (a.stride[1] == 1 && a.stride[2] != 1);
  plan.chunk = plan.along_k ? lanes_along_k_chunk : lanes_along_n_chunk;
  plan.chunks = (K + plan.chunk - 1) / plan.chunk;
  plan.strip = plan.along_k ? min_of(reduce_strip, max_of(1, row_unit / max_of(1, K))) : reduce_strip;
  plan.strips = (N + plan.strip - 1) / plan.strip;
  plan.cells = M * plan.strips * plan.chunks;
  plan.cells_per_task = max_of(1, row_unit / max_of(1, min_of(plan.chunk, K) * min_of(plan.strip, N)));
  if (plan.chunks != 1) {
    plan.partial = static_cast<float*>(c.scratch(c, 0, max_of(1, M * plan.chunks * N) * 4));
    if (!plan.partial) return out_of_memory;
  }
  c.parallel(c, (plan.cells + plan.cells_per_task - 1) / plan.cells_per_task, reduce_task, &plan);
  if (plan.partial) finish_reduce(c, plan);
  return ok;
}

// Position of the largest along K, the first of equals; NaN is never larger. 0 when K is 0.
static int argmax_f32(const call& c) {
  using namespace argmax_f32_call;
  const i64 K = c.dim[d_K], N = c.dim[d_N];
  const view &out = c.operand[o_out], &a = c.operand[o_a];
  for_each_m(c, c.dim[d_M], K * N, [&, K, N](i64 m) {
    for (i64 n = 0; n < N; n++) {
      const float* x = c.f32(o_a) + m * a.stride[0] + n * a.stride[2];
      i64 best = 0;
      for (i64 k = 1; k < K; k++)
        if (x[k * a.stride[1]] > x[best * a.stride[1]]) best = k;
      c.i32(o_out)[m * out.stride[0] + n * out.stride[1]] = (int)best;
    }
  });
  return ok;
}

typedef double vd __attribute__((vector_size(VL * 4)));  // half as many lanes as vf
typedef float half_memory __attribute__((vector_size(VL * 2), aligned(4), may_alias));
constexpr int double_lanes = VL / 2;

// Σ a² of one chunk in float64.
static double square_sum_chunk(const float* a, i64 stride, i64 count) {
  vd total{};
  i64 n = 0;
  if (stride == 1)
    for (; n + double_lanes <= count; n += double_lanes) {
      vd x = __builtin_convertvector(*reinterpret_cast<const half_memory*>(a + n), vd);
      total += x * x;
    }
  double sum = 0;
  for (int lane = 0; lane < double_lanes; lane++) sum += total[lane];
  for (; n < count; n++) sum += (double)a[n * stride] * a[n * stride];
  return sum;
}

static int square_sum_f32(const call& c) {
  using namespace square_sum_f32_call;
  const i64 chunks = (c.dim[d_N] + row_unit - 1) / row_unit;
  double* partial = static_cast<double*>(c.scratch(c, 0, max_of(1, chunks) * 8));
  if (!partial) return out_of_memory;
  c.parallel(c, chunks, [](const call& c, i64 index, int, void* state) {
    const i64 first = index * row_unit, stride = c.operand[o_a].stride[0];
    static_cast<double*>(state)[index] =
        square_sum_chunk(c.f32(o_a) + first * stride, stride, min_of(row_unit, c.dim[d_N] - first));
  }, partial);
  double total = 0;
  for (i64 chunk = 0; chunk < chunks; chunk++) total += partial[chunk];
  *c.f32(o_out) = (float)total;
  return ok;
}
