// layer_norm and rms_norm over rows of [M, E], with gradients; any strides, `=`.
//
// Passes over a row: mean; squares of what deviates from it (one-pass variance loses every digit when the mean is
// large); result. Gradients of gamma and beta are sums over rows: fixed chunks of rows each make a partial sum in
// scratch, then the partial sums are added in order, so the threads do not show in the bits.
#pragma once

static float row_sum(row_view x, i64 E) {
  vector_sum total;
  for_each_vector(E, [&](i64 e, int count) { total.add(load_row(x, e, count)); });  // a partial load's tail is 0
  return total.total();
}

static float row_square_sum(row_view x, i64 E, float centre) {
  vector_sum total;
  for_each_vector(E, [&](i64 e, int count) {
    vf d = with_tail(load_row(x, e, count) - splat(centre), count, 0.0f);
    total.add(d * d);
  });
  return total.total();
}

static float reciprocal_root(double x) { return (float)(1.0 / __builtin_sqrt(x)); }

KEYHOLE_INLINE vf load_or(const view& v, i64 e, int count, float otherwise) {
  return v.data ? load_row(vector_of(v), e, count) : splat(otherwise);
}

static int layer_norm_f32(const call& c) {
  using namespace layer_norm_f32_call;
  const i64 E = c.dim[d_E];
  const double epsilon = c.scalar[s_epsilon];
  for_each_m(c, c.dim[d_M], E, [&c, E, epsilon](i64 m) {
    row_view x = row_of(c.operand[o_x], m), out = row_of(c.operand[o_out], m);
    const float mean = row_sum(x, E) / (float)E;
    const float rstd = reciprocal_root((double)row_square_sum(x, E, mean) / (double)E + epsilon);
    element(c.operand[o_mean], m) = mean;
    element(c.operand[o_rstd], m) = rstd;
    for_each_vector(E, [&](i64 e, int count) {
      vf normal = (load_row(x, e, count) - splat(mean)) * splat(rstd);
      vf y = fma(normal, load_or(c.operand[o_gamma], e, count, 1.0f), load_or(c.operand[o_beta], e, count, 0.0f));
      store_row(out, e, y, count);
    });
  });
  return ok;
}

static int rms_norm_f32(const call& c) {
  using namespace rms_norm_f32_call;
  const i64 E = c.dim[d_E];
  const double epsilon = c.scalar[s_epsilon];
  for_each_m(c, c.dim[d_M], E, [&c, E, epsilon](i64 m) {
    row_view x = row_of(c.operand[o_x], m), out = row_of(c.operand[o_out], m);
    const float rstd = reciprocal_root((double)row_square_sum(x, E, 0.0f) / (double)E + epsilon);
    element(c.operand[o_rstd], m) = rstd;
    for_each_vector(E, [&](i64 e, int count) {
      vf normal = load_row(x, e, count) * splat(rstd);
      store_row(out, e, normal * load_or(c.operand[o_gamma], e, count, 1.0f), count);
    });
  });
  return ok;
}

// Both norms' gradients. Left-out operands have null data; RMS norm has neither mean nor beta.
struct norm_backward {
  view dx, dgamma, dbeta, dout, x, mean, rstd, gamma;
  i64 M, E, rows_per_chunk;
  float* partial;  // [chunks][2][E]: sums of dout·n and of dout; null when neither is asked for
};

// dx = rstd·(g - mean(g) - n·mean(g·n)), with n the normalised row and g = dout·gamma; RMS norm has no mean(g).
static void norm_backward_row(const norm_backward& p, i64 m, float* sums) {
  row_view dx = row_of(p.dx, m), dout = row_of(p.dout, m), x = row_of(p.x, m);
  const vf centre = splat(p.mean.data ? element(p.mean, m) : 0.0f), rstd = splat(element(p.rstd, m));
  vector_sum gradients, products;
  for_each_vector(p.E, [&](i64 e, int count) {
    vf dy = load_row(dout, e, count);
    vf normal = with_tail((load_row(x, e, count) - centre) * rstd, count, 0.0f);
    vf g = with_tail(dy * load_or(p.gamma, e, count, 1.0f), count, 0.0f);
    gradients.add(g);
    products.add(g * normal);
    if (!sums) return;
    store_partial(sums + e, fma(dy, normal, load_partial(sums + e, count)), count);
    store_partial(sums + p.E + e, dy + load_partial(sums + p.E + e, count), count);
  });
  const vf common = splat(p.mean.data ? gradients.total() / (float)p.E : 0.0f);
  const vf slope = splat(products.total() / (float)p.E);
  for_each_vector(p.E, [&](i64 e, int count) {
    vf normal = (load_row(x, e, count) - centre) * rstd;
    vf g = load_row(dout, e, count) * load_or(p.gamma, e, count, 1.0f);
    store_row(dx, e, rstd * (g - common - normal * slope), count);
  });
}

static void norm_backward_task(const call&, i64 index, int, void* state) {
  const norm_backward& p = *static_cast<norm_backward*>(state);
  float* sums = p.partial ? p.partial + index * 2 * p.E : nullptr;
  if (sums)
    for (i64 e = 0; e < 2 * p.E; e++) sums[e] = 0;
  const i64 end = min_of(p.M, (index + 1) * p.rows_per_chunk);
  for (i64 m = index * p.rows_per_chunk; m < end; m++) norm_backward_row(p, m, sums);
}

// to[e] = Σ over chunks, in their order.
static void add_partial_sums(const view& to, const float* partial, i64 chunks, i64 step, i64 E) {
  if (!to.data) return;
  for_each_vector(E, [&](i64 e, int count) {
    vf total{};
    for (i64 chunk = 0; chunk < chunks; chunk++) total += load_partial(partial + chunk * step + e, count);
    store_row(vector_of(to), e, total, count);
  });
}

static int run_norm_backward(const call& c, norm_backward p) {
  p.rows_per_chunk = max_of(max_of(1, row_unit / max_of(1, p.E)), (p.M + 63) / 64);
  const i64 chunks = (p.M + p.rows_per_chunk - 1) / p.rows_per_chunk;
  if (p.dgamma.data || p.dbeta.data) {
    p.partial = static_cast<float*>(c.scratch(c, 0, max_of(1, chunks * 2 * p.E) * 4));
    if (!p.partial) return out_of_memory;
  }
  c.parallel(c, chunks, norm_backward_task, &p);
  add_partial_sums(p.dgamma, p.partial, chunks, 2 * p.E, p.E);
  add_partial_sums(p.dbeta, p.partial + p.E, chunks, 2 * p.E, p.E);
  return ok;
}

static int layer_norm_backward_f32(const call& c) {
  using namespace layer_norm_backward_f32_call;
  const view* v = c.operand;
  return run_norm_backward(c, {v[o_dx], v[o_dgamma], v[o_dbeta], v[o_dout], v[o_x], v[o_mean], v[o_rstd], v[o_gamma],
                               c.dim[d_M], c.dim[d_E], 0, nullptr});
}

static int rms_norm_backward_f32(const call& c) {
  using namespace rms_norm_backward_f32_call;
  const view* v = c.operand;
  return run_norm_backward(c, {v[o_dx], v[o_dgamma], view{}, v[o_dout], v[o_x], view{}, v[o_rstd], v[o_gamma],
                               c.dim[d_M], c.dim[d_E], 0, nullptr});
}
