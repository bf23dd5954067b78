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

// One row of a view [M, N], or a vector [N]: any stride, or one that the compiler knows to be 1. What works on rows is
// written for either and compiled for both; in the second no vector asks for its stride.
struct row_view {
  float* data;
  i64 stride;
};

struct unit_row {
  float* data;
  static constexpr i64 stride = 1;
  inline __attribute__((always_inline)) unit_row(row_view row) : data(row.data) {}
};

KEYHOLE_INLINE row_view row_of(const view& v, i64 m) {
  return {static_cast<float*>(v.data) + m * v.stride[0], v.stride[1]};
}
KEYHOLE_INLINE row_view vector_of(const view& v) { return {static_cast<float*>(v.data), v.stride[0]}; }
KEYHOLE_INLINE float& element(const view& v, i64 m) { return static_cast<float*>(v.data)[m * v.stride[0]]; }
template <class Row>
KEYHOLE_INLINE vf load_row(Row row, i64 n, int count) {
  return load_any(row.data + n * row.stride, row.stride, count);
}
template <class Row>
KEYHOLE_INLINE void store_row(Row row, i64 n, vf x, int count) {
  store_strided(row.data + n * row.stride, row.stride, x, count);
}

// True when the last axis of every view that is there has stride 1.
template <class... Views>
KEYHOLE_INLINE bool unit_rows(const Views&... views) {
  return ((!views.data || views.stride[views.rank - 1] == 1) && ...);
}

// Kernels of several passes over a row fetch ahead: the row they will write during the first pass, the row they will read
// next during the last. Otherwise memory idles while the later passes run in cache, and prefetchers stop at page ends.
constexpr i64 longest_ahead = 1 << 14;  // elements; a longer row would push the present one out of the cache

template <class Row>
KEYHOLE_INLINE void fetch(Row row, i64 n) {
  __builtin_prefetch(row.data + n * row.stride);
}

// Row m + 1 of the view, or row m again when there is none or rows are long.
KEYHOLE_INLINE row_view row_ahead(const view& v, i64 m) {
  return row_of(v, m + 1 < v.size[0] && v.size[1] <= longest_ahead ? m + 1 : m);
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

// Sums over a row, several at once: f(n, count, terms) sets terms[s], whose tail may hold anything. Four chains hide the
// latency of additions; each takes 16 terms before they join the rest, so rounding grows with N/64 + 16.
template <int Sums, class F>
KEYHOLE_INLINE void sum_row(i64 N, float (&totals)[Sums], F f) {
  constexpr int chains = 4;
  vf outer[Sums] = {}, terms[Sums];
  i64 n = 0;
  while (n + chains * VL <= N) {
    vf inner[chains][Sums] = {};
    const i64 end = n + min_of(16, (N - n) / (chains * VL)) * chains * VL;
    for (; n < end; n += chains * VL)
#pragma GCC unroll 4
      for (int chain = 0; chain < chains; chain++) {
        f(n + chain * VL, VL, terms);
        for (int s = 0; s < Sums; s++) inner[chain][s] += terms[s];
      }
    for (int s = 0; s < Sums; s++) outer[s] += (inner[0][s] + inner[1][s]) + (inner[2][s] + inner[3][s]);
  }
  for (; n < N; n += VL) {
    const int count = (int)min_of(VL, N - n);
    f(n, count, terms);
    for (int s = 0; s < Sums; s++) outer[s] += with_tail(terms[s], count, 0.0f);
  }
  for (int s = 0; s < Sums; s++) totals[s] = sum(outer[s]);
}

template <class F>
KEYHOLE_INLINE float sum_row(i64 N, F f) {
  float total[1];
  sum_row(N, total, [&](i64 n, int count, vf (&terms)[1]) KEYHOLE_LAMBDA { terms[0] = f(n, count); });
  return total[0];
}

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
    map_row(to.data, to.stride, from.data, from.stride, E, [](vf x) KEYHOLE_LAMBDA { return x; });
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
      map_row(to.data, to.stride, to.data, to.stride, from.data, from.stride, width, [](vf a, vf b) KEYHOLE_LAMBDA { return a + b; });
    }
  }, &p);
  return ok;
}
