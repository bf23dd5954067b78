// adamw: one step, in place, any strides. parameter, m, v `+=`; gradient read.
//
// Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2, the schedule's multiplier
// inside `rate`. Bias corrections are computed in float64 once per call. Bound by memory: 7 floats moved per element.
#pragma once

// x^n by repeated squaring, n >= 0.
static double whole_power(double x, i64 n) {
  double result = 1;
  for (; n > 0; n >>= 1, x *= x)
    if (n & 1) result *= x;
  return result;
}

struct adamw_constants {
  vf beta1, one_less_beta1, beta2, one_less_beta2, epsilon, gradient_scale, step, shrink, root_unbias2;
};

KEYHOLE_INLINE void adamw_vector(const adamw_constants& k, vf& parameter, vf& m, vf& v, vf gradient) {
  vf g = gradient * k.gradient_scale;
  m = fma(k.beta1, m, k.one_less_beta1 * g);
  v = fma(k.beta2, v, k.one_less_beta2 * g * g);
  vf direction = m / fma(square_root(v), k.root_unbias2, k.epsilon);
  // 1 - rate·decay in float32 would lose digits of the decay, the same ones every step.
  parameter = parameter - fma(k.shrink, parameter, k.step * direction);
}

static int adamw_f32(const call& c) {
  using namespace adamw_f32_call;
  const double rate = c.scalar[s_rate], beta1 = c.scalar[s_beta1], beta2 = c.scalar[s_beta2], step = c.scalar[s_step];
  if (!(step >= 1 && step < 9e15)) return bad_scalar;
  const double unbias1 = 1 / (1 - whole_power(beta1, (i64)step)), unbias2 = 1 / (1 - whole_power(beta2, (i64)step));
  auto constant = [](double x) { return splat((float)x); };
  const adamw_constants k{constant(beta1), constant(1 - beta1), constant(beta2), constant(1 - beta2),
                          constant(c.scalar[s_epsilon]), constant(c.scalar[s_gradientScale]), constant(rate * unbias1),
                          constant(rate * c.scalar[s_decay]), constant(__builtin_sqrt(unbias2))};
  float *parameters = c.f32(o_parameter), *ms = c.f32(o_m), *vs = c.f32(o_v), *gradients = c.f32(o_gradient);
  return for_each_row<4>(c, [=](const i64* at, const i64* by, i64 length) {
    for (i64 i = 0; i < length; i += VL) {
      const int n = (int)min_of(VL, length - i);
      float *parameter = parameters + at[0] + i * by[0], *m = ms + at[1] + i * by[1], *v = vs + at[2] + i * by[2];
      vf x = load_strided(parameter, by[0], n), first = load_strided(m, by[1], n), second = load_strided(v, by[2], n);
      adamw_vector(k, x, first, second, load_any(gradients + at[3] + i * by[3], by[3], n));
      store_strided(parameter, by[0], x, n);
      store_strided(m, by[1], first, n);
      store_strided(v, by[2], second, n);
    }
  });
}
