// fill, copy, affine, unary, unary_backward, binary, select, dropout: out[i] = f(a[i], b[i], …), `=`.
//
// Operands share one shape of any rank and have any strides; an output may be the very view of an input, because a
// vector is read in full before it is written. Passes: join axes that lie one behind the other, cut the elements into
// units of elementwise_unit, walk each unit row by row. Bound by memory. Next: copy.inl.h, functions.inl.h.
#pragma once

// For lambdas that a loop calls at several places: a call per vector costs more than most of them do.
#define KEYHOLE_LAMBDA __attribute__((always_inline))

constexpr i64 elementwise_unit = 1 << 14;
constexpr int max_elementwise_operands = 4;

// The common shape with joined axes; the last axis is the inner loop. Operands beyond `count` are unused.
struct elementwise_loop {
  i64 total;
  int rank;
  i64 size[max_rank];
  i64 stride[max_elementwise_operands][max_rank];
};

static elementwise_loop join_axes(const call& c, int count) {
  const view& shape = c.operand[0];
  elementwise_loop loop{};
  loop.total = 1;
  for (int axis = 0; axis < shape.rank; axis++) {
    const i64 size = shape.size[axis];
    loop.total *= size;
    if (size == 1) continue;
    bool joins = loop.rank > 0;
    for (int o = 0; o < count && joins; o++)
      joins = loop.stride[o][loop.rank - 1] == size * c.operand[o].stride[axis];
    const int to = joins ? loop.rank - 1 : loop.rank++;
    loop.size[to] = joins ? loop.size[to] * size : size;
    for (int o = 0; o < count; o++) loop.stride[o][to] = c.operand[o].stride[axis];
  }
  if (loop.rank == 0) {
    loop.rank = 1;
    loop.size[0] = 1;
  }
  return loop;
}

// Calls row(offsets, strides, length) for consecutive pieces of inner rows that cover elements [first, last). The
// offsets move along with the position, since rows may be short.
template <int Count, class Row>
KEYHOLE_INLINE void walk(const elementwise_loop& loop, i64 first, i64 last, Row row) {
  const int inner = loop.rank - 1;
  i64 at[max_rank], strides[Count], offsets[Count] = {};
  i64 rest = first;
  for (int axis = inner; axis >= 0; axis--) {
    at[axis] = rest % loop.size[axis];
    rest /= loop.size[axis];
    for (int o = 0; o < Count; o++) offsets[o] += at[axis] * loop.stride[o][axis];
  }
  for (int o = 0; o < Count; o++) strides[o] = loop.stride[o][inner];
  while (first < last) {
    const i64 length = min_of(last - first, loop.size[inner] - at[inner]);
    row(offsets, strides, length);
    first += length;
    for (int o = 0; o < Count; o++) offsets[o] -= at[inner] * strides[o];
    at[inner] = 0;
    for (int axis = inner - 1; axis >= 0; axis--) {
      for (int o = 0; o < Count; o++) offsets[o] += loop.stride[o][axis];
      if (++at[axis] < loop.size[axis]) break;
      for (int o = 0; o < Count; o++) offsets[o] -= loop.size[axis] * loop.stride[o][axis];
      at[axis] = 0;
    }
  }
}

template <int Count, class Row>
struct elementwise_state {
  elementwise_loop loop;
  Row row;
};

template <int Count, class Row>
static void elementwise_task(const call&, i64 index, int, void* state) {
  auto& s = *static_cast<elementwise_state<Count, Row>*>(state);
  walk<Count>(s.loop, index * elementwise_unit, min_of(s.loop.total, (index + 1) * elementwise_unit), s.row);
}

// Runs `row` over all elements of the first Count operands.
template <int Count, class Row>
static int for_each_row(const call& c, Row row) {
  elementwise_state<Count, Row> state{join_axes(c, Count), row};
  c.parallel(c, (state.loop.total + elementwise_unit - 1) / elementwise_unit, elementwise_task<Count, Row>, &state);
  return ok;
}

// n lanes from p; stride 0 repeats one element.
KEYHOLE_INLINE vf load_any(const float* p, i64 stride, int n) {
  return stride == 0 ? splat(*p) : load_strided(p, stride, n);
}

// out = f(a), or f(a, b): one row. f takes vectors; what it makes of lanes past the end is dropped.
template <class F>
KEYHOLE_INLINE void map_row(float* out, i64 out_stride, const float* a, i64 a_stride, i64 length, F f) {
  i64 i = 0;
  if (out_stride == 1 && a_stride == 1)
    for (; i + VL <= length; i += VL) store(out + i, f(load(a + i)));
  for (; i < length; i += VL) {
    const int n = (int)min_of(VL, length - i);
    store_strided(out + i * out_stride, out_stride, f(load_any(a + i * a_stride, a_stride, n)), n);
  }
}

template <class F>
KEYHOLE_INLINE void map_row(float* out, i64 out_stride, const float* a, i64 a_stride, const float* b, i64 b_stride,
                            i64 length, F f) {
  i64 i = 0;
  if (out_stride == 1 && a_stride == 1 && b_stride == 1)
    for (; i + VL <= length; i += VL) store(out + i, f(load(a + i), load(b + i)));
  for (; i < length; i += VL) {
    const int n = (int)min_of(VL, length - i);
    vf x = load_any(a + i * a_stride, a_stride, n), y = load_any(b + i * b_stride, b_stride, n);
    store_strided(out + i * out_stride, out_stride, f(x, y), n);
  }
}

template <class F>
static int map1(const call& c, F f) {
  float *out = c.f32(0), *a = c.f32(1);
  return for_each_row<2>(c, [=](const i64* at, const i64* step, i64 length) {
    map_row(out + at[0], step[0], a + at[1], step[1], length, f);
  });
}

template <class F>
static int map2(const call& c, F f) {
  float *out = c.f32(0), *a = c.f32(1), *b = c.f32(2);
  return for_each_row<3>(c, [=](const i64* at, const i64* step, i64 length) {
    map_row(out + at[0], step[0], a + at[1], step[1], b + at[2], step[2], length, f);
  });
}

static int fill_f32(const call& c) {
  float* out = c.f32(0);
  const vf value = splat((float)c.scalar[fill_f32_call::s_value]);
  return for_each_row<1>(c, [=](const i64* at, const i64* step, i64 length) {
    for (i64 i = 0; i < length; i += VL)
      store_strided(out + at[0] + i * step[0], step[0], value, (int)min_of(VL, length - i));
  });
}

static int affine_f32(const call& c) {
  const vf scale = splat((float)c.scalar[affine_f32_call::s_scale]);
  const vf shift = splat((float)c.scalar[affine_f32_call::s_shift]);
  return map1(c, [=](vf a) KEYHOLE_LAMBDA { return fma(scale, a, shift); });
}

static int select_f32(const call& c) {
  using namespace select_f32_call;
  float *out = c.f32(o_out), *a = c.f32(o_a), *b = c.f32(o_b);
  const u8* condition = c.bytes(o_condition);
  return for_each_row<4>(c, [=](const i64* at, const i64* step, i64 length) {
    for (i64 i = 0; i < length; i += VL) {
      const int n = (int)min_of(VL, length - i);
      vi chosen = load_bytes_strided(condition + at[1] + i * step[1], step[1], n) != 0;
      vf x = load_any(a + at[2] + i * step[2], step[2], n), y = load_any(b + at[3] + i * step[3], step[3], n);
      store_strided(out + at[0] + i * step[0], step[0], select(chosen, x, y), n);
    }
  });
}

// Its units start at whole multiples of elementwise_unit of the one axis N, so a row's first column is known.
static int dropout_f32(const call& c) {
  using namespace dropout_f32_call;
  const double rate = c.scalar[s_rate];
  if (!(rate >= 0 && rate < 1)) return bad_scalar;
  const u32 key = dropout_row_key(to_u32(c.scalar[s_seed]), to_u32(c.scalar[s_stream]), 0);
  const u32 threshold = dropout_threshold(rate);
  const vf growth = splat((float)(1 / (1 - rate)));
  struct unit_state {
    u32 key, threshold;
    vf growth;
  } state{key, threshold, growth};
  const i64 units = (c.dim[d_N] + elementwise_unit - 1) / elementwise_unit;
  c.parallel(c, units, [](const call& c, i64 index, int, void* state) {
    const unit_state& s = *static_cast<unit_state*>(state);
    const view &out = c.operand[o_out], &a = c.operand[o_a];
    const i64 end = min_of(c.dim[d_N], (index + 1) * elementwise_unit);
    for (i64 i = index * elementwise_unit; i < end; i += VL) {
      const int n = (int)min_of(VL, end - i);
      vf x = load_any(c.f32(o_a) + i * a.stride[0], a.stride[0], n) * s.growth;
      vf kept = select(dropout_keep(s.key, (u32)i, s.threshold), x, vf{});
      store_strided(c.f32(o_out) + i * out.stride[0], out.stride[0], kept, n);
    }
  }, &state);
  return ok;
}
