// layer_norm and rms_norm over rows of [M, E], with gradients; any strides, `=`.
//
// Passes over a row: mean; squares of what deviates from it (one-pass variance loses every digit when the mean is
// large); result. Gradients of gamma and beta are sums over rows: fixed chunks of rows each make a partial sum in
// scratch, then the partial sums are added in order, so the threads do not show in the bits.
#pragma once

template <class Row>
KEYHOLE_INLINE float row_sum(Row x, i64 E, Row ahead) {
  return sum_row(E, [&](i64 e, int count) KEYHOLE_LAMBDA {
    fetch(ahead, e);
    return load_row(x, e, count);
  });
}

template <class Row>
KEYHOLE_INLINE float row_square_sum(Row x, i64 E, vf centre, Row ahead) {
  return sum_row(E, [&](i64 e, int count) KEYHOLE_LAMBDA {
    fetch(ahead, e);
    vf d = load_row(x, e, count) - centre;
    return d * d;
  });
}

static float reciprocal_root(double x) { return (float)(1.0 / __builtin_sqrt(x)); }

// Of a vector that may have been left out: null data.
template <class Row>
KEYHOLE_INLINE vf load_or(Row row, i64 e, int count, float otherwise) {
  return row.data ? load_row(row, e, count) : splat(otherwise);
}

struct row_moments {
  float mean, rstd;
};

template <class Row>
static row_moments layer_norm_row(Row out, Row x, Row ahead, Row gamma, Row beta, i64 E, double epsilon) {
  const float mean = row_sum(x, E, out) / (float)E;
  const vf centre = splat(mean);
  const float rstd = reciprocal_root((double)row_square_sum(x, E, centre, ahead) / (double)E + epsilon);
  const vf scale = splat(rstd);
  for_each_vector(E, [&](i64 e, int count) KEYHOLE_LAMBDA {
    vf normal = (load_row(x, e, count) - centre) * scale;
    store_row(out, e, fma(normal, load_or(gamma, e, count, 1.0f), load_or(beta, e, count, 0.0f)), count);
  });
  return {mean, rstd};
}

static int layer_norm_f32(const call& c) {
  using namespace layer_norm_f32_call;
  const i64 E = c.dim[d_E];
  const double epsilon = c.scalar[s_epsilon];
  const view &vout = c.operand[o_out], &vx = c.operand[o_x];
  const row_view gamma = vector_of(c.operand[o_gamma]), beta = vector_of(c.operand[o_beta]);
  const bool unit = unit_rows(vout, vx, c.operand[o_gamma], c.operand[o_beta]);
  for_each_m(c, c.dim[d_M], E, [&, E, epsilon, unit](i64 m) {
    const row_view out = row_of(vout, m), x = row_of(vx, m), ahead = row_ahead(vx, m);
    const row_moments found = unit ? layer_norm_row<unit_row>(out, x, ahead, gamma, beta, E, epsilon)
                                   : layer_norm_row(out, x, ahead, gamma, beta, E, epsilon);
    element(c.operand[o_mean], m) = found.mean;
    element(c.operand[o_rstd], m) = found.rstd;
  });
  return ok;
}

template <class Row>
static float rms_norm_row(Row out, Row x, Row ahead, Row gamma, i64 E, double epsilon) {
  const float rstd = reciprocal_root((double)row_square_sum(x, E, vf{}, out) / (double)E + epsilon);
  const vf scale = splat(rstd);
  for_each_vector(E, [&](i64 e, int count) KEYHOLE_LAMBDA {
    fetch(ahead, e);
    store_row(out, e, load_row(x, e, count) * scale * load_or(gamma, e, count, 1.0f), count);
  });
  return rstd;
}

static int rms_norm_f32(const call& c) {
  using namespace rms_norm_f32_call;
  const i64 E = c.dim[d_E];
  const double epsilon = c.scalar[s_epsilon];
  const view &vout = c.operand[o_out], &vx = c.operand[o_x];
  const row_view gamma = vector_of(c.operand[o_gamma]);
  const bool unit = unit_rows(vout, vx, c.operand[o_gamma]);
  for_each_m(c, c.dim[d_M], E, [&, E, epsilon, unit](i64 m) {
    const row_view out = row_of(vout, m), x = row_of(vx, m), ahead = row_ahead(vx, m);
    element(c.operand[o_rstd], m) = unit ? rms_norm_row<unit_row>(out, x, ahead, gamma, E, epsilon)
                                         : rms_norm_row(out, x, ahead, gamma, E, epsilon);
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
template <class Row>
static void norm_backward_row(const norm_backward& p, i64 m, float* sums) {
  Row dx = row_of(p.dx, m), dout = row_of(p.dout, m), x = row_of(p.x, m), gamma = vector_of(p.gamma);
  const vf centre = splat(p.mean.data ? element(p.mean, m) : 0.0f), rstd = splat(element(p.rstd, m));
  Row dout_ahead = row_ahead(p.dout, m), x_ahead = row_ahead(p.x, m);
  float totals[2];  // Σ g, Σ g·n
  sum_row(p.E, totals, [&](i64 e, int count, vf (&terms)[2]) KEYHOLE_LAMBDA {
    fetch(dx, e);
    vf dy = load_row(dout, e, count), normal = (load_row(x, e, count) - centre) * rstd;
    terms[0] = dy * load_or(gamma, e, count, 1.0f);
    terms[1] = terms[0] * normal;
    if (!sums) return;
    float *dgamma = sums + e, *dbeta = dgamma + p.E;
    store_strided(dgamma, 1, fma(dy, normal, load_strided(dgamma, 1, count)), count);
    store_strided(dbeta, 1, dy + load_strided(dbeta, 1, count), count);
  });
  const vf common = splat(p.mean.data ? totals[0] / (float)p.E : 0.0f), slope = splat(totals[1] / (float)p.E);
  for_each_vector(p.E, [&](i64 e, int count) KEYHOLE_LAMBDA {
    fetch(dout_ahead, e);
    fetch(x_ahead, e);
    vf normal = (load_row(x, e, count) - centre) * rstd;
    vf g = load_row(dout, e, count) * load_or(gamma, e, count, 1.0f);
    store_row(dx, e, rstd * (g - common - normal * slope), count);
  });
}

static void norm_backward_task(const call&, i64 index, int, void* state) {
  const norm_backward& p = *static_cast<norm_backward*>(state);
  float* sums = p.partial ? p.partial + index * 2 * p.E : nullptr;
  if (sums)
    for (i64 e = 0; e < 2 * p.E; e++) sums[e] = 0;
  const i64 end = min_of(p.M, (index + 1) * p.rows_per_chunk);
  const bool unit = unit_rows(p.dx, p.dout, p.x, p.gamma);
  for (i64 m = index * p.rows_per_chunk; m < end; m++)
    if (unit) norm_backward_row<unit_row>(p, m, sums);
    else norm_backward_row<row_view>(p, m, sums);
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
