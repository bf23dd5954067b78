// What the kernels over rows of [M, N] share, and the two that move rows: gather_rows and scatter_add_rows.
#pragma once

constexpr i64 row_unit = 1 << 14;     // elements that make a task worth its start
constexpr i64 column_strip = 4 * 16;  // columns that one task of a sum over rows owns: four cache lines

template <class Row>
struct row_state {
  Row row;
  i64 rows, rows_per_task;
};

template <class Row>
static void row_task(const call&, i64 index, int, void* state) {
  const row_state<Row>& s = *static_cast<row_state<Row>*>(state);
  const i64 end = min_of(s.rows, (index + 1) * s.rows_per_task);
  for (i64 m = index * s.rows_per_task; m < end; m++) s.row(m);
}

// row(m) for every m in [0, M); a row has about N elements.
template <class Row>
static void for_each_m(const call& c, i64 M, i64 N, Row row) {
  row_state<Row> state{row, M, max_of(1, row_unit / max_of(1, N))};
  c.parallel(c, (M + state.rows_per_task - 1) / state.rows_per_task, row_task<Row>, &state);
}

// One row of a view [M, N], or a vector [N].
struct row_view {
  float* data;
  i64 stride;
};

KEYHOLE_INLINE row_view row_of(const view& v, i64 m) {
  return {static_cast<float*>(v.data) + m * v.stride[0], v.stride[1]};
}
KEYHOLE_INLINE row_view vector_of(const view& v) { return {static_cast<float*>(v.data), v.stride[0]}; }
KEYHOLE_INLINE float& element(const view& v, i64 m) { return static_cast<float*>(v.data)[m * v.stride[0]]; }
KEYHOLE_INLINE vf load_row(row_view row, i64 n, int count) {
  return load_any(row.data + n * row.stride, row.stride, count);
}
KEYHOLE_INLINE void store_row(row_view row, i64 n, vf x, int count) {
  store_strided(row.data + n * row.stride, row.stride, x, count);
}

// f(n, count) for each vector of a row: count < VL only in the last.
template <class F>
KEYHOLE_INLINE void for_each_vector(i64 N, F f) {
  i64 n = 0;
  for (; n + VL <= N; n += VL) f(n, VL);
  if (n < N) f(n, (int)(N - n));
}

// Lanes from `count` on become `other`.
KEYHOLE_INLINE vf with_tail(vf x, int count, float other) {
  return count == VL ? x : select(lanes() < count, x, splat(other));
}

// A sum in two levels: 64 terms go together before they join the rest, so rounding grows with N/64 + 64.
struct vector_sum {
  vf inner{}, outer{};
  int terms = 0;
  inline __attribute__((always_inline)) void add(vf x) {
    inner += x;
    if (++terms < 64) return;
    outer += inner;
    inner = vf{};
    terms = 0;
  }
  inline __attribute__((always_inline)) float total() const { return sum(outer + inner); }
};

// False when an index lies outside [0, size) and is not `ignore`.
static bool indices_fit(const view& index, i64 M, i64 size, double ignore) {
  const int* data = static_cast<const int*>(index.data);
  for (i64 m = 0; m < M; m++) {
    const int i = data[m * index.stride[0]];
    if ((i < 0 || i >= size) && i != ignore) return false;
  }
  return true;
}

// out[m] = table[index[m]] `=`; bits are kept.
static int gather_rows_f32(const call& c) {
  using namespace gather_rows_f32_call;
  const i64 M = c.dim[d_M], E = c.dim[d_E];
  const view &out = c.operand[o_out], &table = c.operand[o_table], &index = c.operand[o_index];
  if (!indices_fit(index, M, c.dim[d_V], -1.5)) return index_out_of_range;
  for_each_m(c, M, E, [&](i64 m) {
    row_view to = row_of(out, m), from = row_of(table, static_cast<int*>(index.data)[m * index.stride[0]]);
    map_row(to.data, to.stride, from.data, from.stride, E, [](vf x) { return x; });
  });
  return ok;
}

// table[index[m]] += rows[m] in the order of m; a task owns a strip of columns.
static int scatter_add_rows_f32(const call& c) {
  using namespace scatter_add_rows_f32_call;
  if (!indices_fit(c.operand[o_index], c.dim[d_M], c.dim[d_V], -1.5)) return index_out_of_range;
  const i64 E = c.dim[d_E], M = c.dim[d_M];
  struct plan {
    i64 strip;
  } p{M * E <= 2 * row_unit ? max_of(1, E) : column_strip};
  c.parallel(c, (E + p.strip - 1) / p.strip, [](const call& c, i64 index, int, void* state) {
    const i64 strip = static_cast<plan*>(state)->strip, first = index * strip;
    const i64 width = min_of(strip, c.dim[d_E] - first);
    const view &table = c.operand[o_table], &rows = c.operand[o_rows], &ids = c.operand[o_index];
    for (i64 m = 0; m < c.dim[d_M]; m++) {
      row_view to = row_of(table, static_cast<int*>(ids.data)[m * ids.stride[0]]), from = row_of(rows, m);
      to.data += first * to.stride;
      from.data += first * from.stride;
      map_row(to.data, to.stride, to.data, to.stride, from.data, from.stride, width, [](vf a, vf b) { return a + b; });
    }
  }, &p);
  return ok;
}
