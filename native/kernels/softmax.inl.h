// softmax, softmax_backward, cross_entropy, cross_entropy_backward over rows of [M, N], any strides. `=`; the first
// output may be the view of the first input. A row is one task's, so its bits depend on nothing else (N11, N12).
// Passes over a row: maximum; exponentials and their sum; result.
#pragma once

// Largest element; NaN when there is one, -inf for none.
static float row_maximum(row_view row, i64 N) {
  const float lowest = -__builtin_inff();
  vf largest = splat(lowest);
  vi nan{};
  for_each_vector(N, [&](i64 n, int count) {
    vf x = with_tail(load_row(row, n, count), count, lowest);
    nan |= x != x;
    largest = max(largest, x);
  });
  return any(nan) ? __builtin_nanf("") : maximum(largest);
}

// Σ e^(row - shift), leaving out position `skip` (-1: none).
static float sum_exponentials(row_view row, i64 N, float shift, i64 skip) {
  vector_sum total;
  const vf by = splat(shift);
  for_each_vector(N, [&](i64 n, int count) {
    vf e = with_tail(vexp(load_row(row, n, count) - by), count, 0.0f);
    if (skip >= n && skip < n + VL) e = select(lanes() == (int)(skip - n), vf{}, e);
    total.add(e);
  });
  return total.total();
}

static float log_of(float x) { return vlog(splat(x))[0]; }

// ln(1 + x) for x >= 0 without losing small x. Source of the trick: Kahan; u - 1 is exact.
static float log_one_plus(float x) {
  const float u = 1.0f + x;
  return u == 1.0f || u == __builtin_inff() ? x : log_of(u) * (x / (u - 1.0f));
}

// e^(a - maximum) / Σ, or its logarithm; all -inf gives 0 (-inf).
static int softmax_f32(const call& c) {
  using namespace softmax_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N];
  const bool log = c.scalar[s_log] != 0;
  const view &va = c.operand[o_a], &vout = c.operand[o_out];
  for_each_m(c, M, N, [&, log, N](i64 m) {
    row_view a = row_of(va, m), out = row_of(vout, m);
    const float largest = row_maximum(a, N);
    const vf shift = splat(largest == -__builtin_inff() ? 0.0f : largest);
    if (log) {
      const float total = sum_exponentials(a, N, shift[0], -1);
      const vf rest = splat(total == 0 ? 0.0f : log_of(total));
      for_each_vector(N, [&](i64 n, int count) { store_row(out, n, (load_row(a, n, count) - shift) - rest, count); });
      return;
    }
    vector_sum total;
    for_each_vector(N, [&](i64 n, int count) {
      vf e = vexp(load_row(a, n, count) - shift);
      total.add(with_tail(e, count, 0.0f));
      store_row(out, n, e, count);
    });
    const float sum = total.total();
    const vf scale = splat(sum == 0 ? 0.0f : 1.0f / sum);
    for_each_vector(N, [&](i64 n, int count) { store_row(out, n, load_row(out, n, count) * scale, count); });
  });
  return ok;
}

// With y = out: da = y·(dout - Σ y·dout); for logarithms da = dout - e^y·Σ dout.
static int softmax_backward_f32(const call& c) {
  using namespace softmax_backward_f32_call;
  const i64 M = c.dim[d_M], N = c.dim[d_N];
  const bool log = c.scalar[s_log] != 0;
  const view &vda = c.operand[o_da], &vout = c.operand[o_out], &vdout = c.operand[o_dout];
  for_each_m(c, M, N, [&, log, N](i64 m) {
    row_view da = row_of(vda, m), out = row_of(vout, m), dout = row_of(vdout, m);
    vector_sum total;
    for_each_vector(N, [&](i64 n, int count) {
      vf dy = load_row(dout, n, count);
      total.add(with_tail(log ? dy : load_row(out, n, count) * dy, count, 0.0f));
    });
    const vf sum = splat(total.total());
    for_each_vector(N, [&](i64 n, int count) {
      vf y = load_row(out, n, count), dy = load_row(dout, n, count);
      store_row(da, n, log ? dy - vexp(y) * sum : y * (dy - sum), count);
    });
  });
  return ok;
}

// loss = lse - (1-ε)·x[target] - ε·mean(x), summed as ln Σ e^(x-max) + (1-ε)·(max - x[target]) + ε·mean(max - x): what
// cancels is subtracted before it is rounded. `others` is Σ without the target, whose own 1 would hide a small rest.
static float cross_entropy_row(row_view x, i64 V, i64 target, float largest, float others, float smoothing) {
  const float hit = x.data[target * x.stride];
  const float log_sum = hit == largest ? log_one_plus(others) : log_of(others + vexp(splat(hit - largest))[0]);
  if (smoothing == 0) return log_sum + (largest - hit);
  vector_sum below;
  for_each_vector(V, [&](i64 n, int count) {
    below.add(with_tail(splat(largest) - load_row(x, n, count), count, 0.0f));
  });
  return log_sum + (1 - smoothing) * (largest - hit) + smoothing * (below.total() / (float)V);
}

static int cross_entropy_f32(const call& c) {
  using namespace cross_entropy_f32_call;
  const i64 M = c.dim[d_M], V = c.dim[d_V];
  const double ignore = c.scalar[s_ignore];
  const float smoothing = (float)c.scalar[s_smoothing];
  const view &logits = c.operand[o_logits], &target = c.operand[o_target];
  if (!indices_fit(target, M, V, ignore)) return index_out_of_range;
  for_each_m(c, M, V, [&, ignore, smoothing, V](i64 m) {
    row_view x = row_of(logits, m);
    const int t = static_cast<int*>(target.data)[m * target.stride[0]];
    const bool inside = t >= 0 && t < V;
    const float largest = row_maximum(x, V);
    const float shift = largest == -__builtin_inff() ? 0.0f : largest;
    const float others = sum_exponentials(x, V, shift, inside ? t : -1);
    const float own = inside ? vexp(splat(x.data[t * x.stride] - shift))[0] : 0.0f;
    element(c.operand[o_lse], m) = shift + log_of(others + own);
    element(c.operand[o_loss], m) = t == ignore ? 0.0f : cross_entropy_row(x, V, t, largest, others, smoothing);
  });
  return ok;
}

// dlogits = dloss·(e^(x - lse) - (1-ε)·[target] - ε/V); 0 for ignored rows, whatever they hold.
static int cross_entropy_backward_f32(const call& c) {
  using namespace cross_entropy_backward_f32_call;
  const i64 M = c.dim[d_M], V = c.dim[d_V];
  const double ignore = c.scalar[s_ignore];
  const float smoothing = (float)c.scalar[s_smoothing];
  const view &vd = c.operand[o_dlogits], &vx = c.operand[o_logits], &target = c.operand[o_target];
  if (!indices_fit(target, M, V, ignore)) return index_out_of_range;
  for_each_m(c, M, V, [&, ignore, smoothing, V](i64 m) {
    row_view d = row_of(vd, m), x = row_of(vx, m);
    const int t = static_cast<int*>(target.data)[m * target.stride[0]];
    if (t == ignore) return for_each_vector(V, [&](i64 n, int count) { store_row(d, n, vf{}, count); });
    const vf dloss = splat(element(c.operand[o_dloss], m)), lse = splat(element(c.operand[o_lse], m));
    const vf spread = splat(smoothing / (float)V), wanted = splat(1 - smoothing);
    for_each_vector(V, [&](i64 n, int count) {
      vf rest = vexp(load_row(x, n, count) - lse) - spread;
      if (t >= n && t < n + VL) rest = select(lanes() == (int)(t - n), rest - wanted, rest);
      store_row(d, n, dloss * rest, count);
    });
  });
  return ok;
}
