// softmax, softmax_backward, cross_entropy, cross_entropy_backward over rows of [M, N], any strides. `=`; the first
// output may be the view of the first input. A row is one task's, so its bits depend on nothing else (N11, N12).
// Passes over a row: maximum; exponentials and their sum; result.
#pragma once

// Largest element; -inf for none; fetches `ahead`. NaN is passed over here: its own exponential makes the sum NaN.
template <class Row>
KEYHOLE_INLINE float row_maximum(Row row, i64 N, Row ahead) {
  constexpr int chains = 4;
  const float lowest = -__builtin_inff();
  vf largest[chains];
  for (vf& each : largest) each = splat(lowest);
  i64 n = 0;
  for (; n + chains * VL <= N; n += chains * VL)
#pragma GCC unroll 4
    for (int chain = 0; chain < chains; chain++) {
      fetch(ahead, n + chain * VL);
      largest[chain] = max(load_row(row, n + chain * VL, VL), largest[chain]);
    }
  for (; n < N; n += VL) {
    const int count = (int)min_of(VL, N - n);
    largest[0] = max(with_tail(load_row(row, n, count), count, lowest), largest[0]);
  }
  return maximum(max(max(largest[0], largest[1]), max(largest[2], largest[3])));
}

// Σ e^(row - shift) over positions [from, to).
template <class Row>
KEYHOLE_INLINE float sum_exponentials(Row row, i64 from, i64 to, vf shift) {
  return sum_row(to - from, [&](i64 n, int count) KEYHOLE_LAMBDA { return vexp(load_row(row, from + n, count) - shift); });
}

static float log_of(float x) { return vlog(splat(x))[0]; }

// ln(1 + x) for x >= 0 without losing small x. Source of the trick: Kahan; u - 1 is exact.
static float log_one_plus(float x) {
  const float u = 1.0f + x;
  return u == 1.0f || u == __builtin_inff() ? x : log_of(u) * (x / (u - 1.0f));
}

template <class Row>
static void softmax_row(Row out, Row a, Row ahead, i64 N, bool log) {
  const float largest = row_maximum(a, N, out);
  const vf shift = splat(largest == -__builtin_inff() ? 0.0f : largest);
  if (log) {
    const float total = sum_exponentials(a, 0, N, shift);
    const vf rest = splat(total == 0 ? 0.0f : log_of(total));
    return for_each_vector(N, [&](i64 n, int count) KEYHOLE_LAMBDA {
      fetch(ahead, n);
      store_row(out, n, (load_row(a, n, count) - shift) - rest, count);
    });
  }
  const float total = sum_row(N, [&](i64 n, int count) KEYHOLE_LAMBDA {
    vf e = vexp(load_row(a, n, count) - shift);
    store_row(out, n, e, count);
    return e;
  });
  const vf scale = splat(total == 0 ? 0.0f : 1.0f / total);
  for_each_vector(N, [&](i64 n, int count) KEYHOLE_LAMBDA {
    fetch(ahead, n);
    store_row(out, n, load_row(out, n, count) * scale, count);
  });
}

// e^(a - maximum) / Σ, or its logarithm; all -inf gives 0 (-inf).
static int softmax_f32(const call& c) {
  using namespace softmax_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N];
  const bool log = c.scalar[s_log] != 0;
  const view &a = c.operand[o_a], &out = c.operand[o_out];
  const bool unit = unit_rows(a, out);
  for_each_m(c, M, N, [&, log, unit, N](i64 m) {
    const row_view to = row_of(out, m), from = row_of(a, m), ahead = row_ahead(a, m);
    if (unit) softmax_row<unit_row>(to, from, ahead, N, log);
    else softmax_row(to, from, ahead, N, log);
  });
  return ok;
}

template <class Row>
static void softmax_backward_row(Row da, Row out, Row dout, i64 N, bool log) {
  const float total = sum_row(N, [&](i64 n, int count) KEYHOLE_LAMBDA {
    vf dy = load_row(dout, n, count);
    return log ? dy : load_row(out, n, count) * dy;
  });
  const vf sum = splat(total);
  for_each_vector(N, [&](i64 n, int count) KEYHOLE_LAMBDA {
    vf y = load_row(out, n, count), dy = load_row(dout, n, count);
    store_row(da, n, log ? dy - vexp(y) * sum : y * (dy - sum), count);
  });
}

// With y = out: da = y·(dout - Σ y·dout); for logarithms da = dout - e^y·Σ dout.
static int softmax_backward_f32(const call& c) {
  using namespace softmax_backward_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N];
  const bool log = c.scalar[s_log] != 0;
  const view &da = c.operand[o_da], &out = c.operand[o_out], &dout = c.operand[o_dout];
  const bool unit = unit_rows(da, out, dout);
  for_each_m(c, M, N, [&, log, unit, N](i64 m) {
    if (unit) softmax_backward_row<unit_row>(row_of(da, m), row_of(out, m), row_of(dout, m), N, log);
    else softmax_backward_row(row_of(da, m), row_of(out, m), row_of(dout, m), N, log);
  });
  return ok;
}

// loss = lse - (1-ε)·x[target] - ε·mean(x), summed as ln Σ e^(x-max) + (1-ε)·(max - x[target]) + ε·mean(max - x): what
// cancels is subtracted before it is rounded. `others` is Σ without the target, whose own 1 would hide a small rest.
template <class Row>
static float cross_entropy_row(Row x, i64 V, i64 target, float largest, float others, float smoothing) {
  const float hit = x.data[target * x.stride];
  const float log_sum = hit == largest ? log_one_plus(others) : log_of(others + vexp(splat(hit - largest))[0]);
  if (smoothing == 0) return log_sum + (largest - hit);
  const vf from = splat(largest);
  const float below = sum_row(V, [&](i64 n, int count) KEYHOLE_LAMBDA { return from - load_row(x, n, count); });
  return log_sum + (1 - smoothing) * (largest - hit) + smoothing * (below / (float)V);
}

struct row_loss {
  float loss, lse;
};

// Σ e^(x - largest) without the target's own.
struct row_exponentials {
  float largest, others;
};

constexpr i64 softmax_block = 2048;  // elements: 8 KiB, so that a block stays in first-level cache between its two looks

// Block by block, the sum rescaled when the maximum grows: the row comes from memory once, and arithmetic on one block
// goes on while the next is fetched. `target` may lie outside [0, V).
template <class Row>
static row_exponentials exponentials_of_row(Row x, i64 V, i64 target) {
  row_exponentials found{-__builtin_inff(), 0};
  for (i64 from = 0; from < V; from += softmax_block) {
    const i64 to = min_of(V, from + softmax_block);
    Row block = row_view{x.data + from * x.stride, x.stride}, ahead = row_view{x.data + min_of(to, V - 1) * x.stride, x.stride};
    const float largest = row_maximum(block, to - from, ahead);
    if (largest > found.largest) {
      found.others *= vexp(splat(found.largest - largest))[0];
      found.largest = largest;
    }
    const vf shift = splat(found.largest == -__builtin_inff() ? 0.0f : found.largest);
    const i64 split = target >= from && target < to ? target : to;
    found.others += sum_exponentials(x, from, split, shift);
    if (split < to) found.others += sum_exponentials(x, split + 1, to, shift);
  }
  return found;
}

template <class Row>
static row_loss cross_entropy_of_row(Row x, i64 V, i64 target, bool ignored, float smoothing) {
  const row_exponentials found = exponentials_of_row(x, V, target);
  const float shift = found.largest == -__builtin_inff() ? 0.0f : found.largest;
  const float own = target >= 0 && target < V ? vexp(splat(x.data[target * x.stride] - shift))[0] : 0.0f;
  const float loss = ignored ? 0.0f : cross_entropy_row(x, V, target, found.largest, found.others, smoothing);
  return {loss, shift + log_of(found.others + own)};
}

static int cross_entropy_f32(const call& c) {
  using namespace cross_entropy_f32_call;
  const i64 M = c.dim[d_M], V = c.dim[d_V];
  const double ignore = c.scalar[s_ignore];
  const float smoothing = (float)c.scalar[s_smoothing];
  const view &logits = c.operand[o_logits], &target = c.operand[o_target];
  if (!indices_fit(target, M, V, ignore)) return index_out_of_range;
  const bool unit = unit_rows(logits);
  for_each_m(c, M, V, [&, ignore, smoothing, unit, V](i64 m) {
    const int t = static_cast<int*>(target.data)[m * target.stride[0]];
    const row_view x = row_of(logits, m);
    const row_loss found = unit ? cross_entropy_of_row<unit_row>(x, V, t, t == ignore, smoothing)
                                : cross_entropy_of_row(x, V, t, t == ignore, smoothing);
    element(c.operand[o_loss], m) = found.loss;
    element(c.operand[o_lse], m) = found.lse;
  });
  return ok;
}

// Of one row whose target is not ignored.
template <class Row>
static void cross_entropy_backward_row(Row d, Row x, i64 V, i64 target, vf dloss, vf lse, float smoothing) {
  const vf spread = splat(smoothing / (float)V), wanted = splat(1 - smoothing);
  for_each_vector(V, [&](i64 n, int count) KEYHOLE_LAMBDA {
    vf rest = vexp(load_row(x, n, count) - lse) - spread;
    if (target >= n && target < n + VL) rest = select(lanes() == (int)(target - n), rest - wanted, rest);
    store_row(d, n, dloss * rest, count);
  });
}

// dlogits = dloss·(e^(x - lse) - (1-ε)·[target] - ε/V); 0 for ignored rows, whatever they hold.
static int cross_entropy_backward_f32(const call& c) {
  using namespace cross_entropy_backward_f32_call;
  const i64 M = c.dim[d_M], V = c.dim[d_V];
  const double ignore = c.scalar[s_ignore];
  const float smoothing = (float)c.scalar[s_smoothing];
  const view &dlogits = c.operand[o_dlogits], &logits = c.operand[o_logits], &target = c.operand[o_target];
  if (!indices_fit(target, M, V, ignore)) return index_out_of_range;
  const bool unit = unit_rows(dlogits, logits);
  for_each_m(c, M, V, [&, ignore, smoothing, unit, V](i64 m) {
    const row_view d = row_of(dlogits, m), x = row_of(logits, m);
    const int t = static_cast<int*>(target.data)[m * target.stride[0]];
    if (t == ignore) return for_each_vector(V, [&](i64 n, int count) { store_row(d, n, vf{}, count); });
    const vf dloss = splat(element(c.operand[o_dloss], m)), lse = splat(element(c.operand[o_lse], m));
    if (unit) cross_entropy_backward_row<unit_row>(d, x, V, t, dloss, lse, smoothing);
    else cross_entropy_backward_row(d, x, V, t, dloss, lse, smoothing);
  });
  return ok;
}
