// Elementary functions on vectors, each with its maximum error, measured against double over every 97th float. Included
// after vec.h, inside the same region. No branches: every lane takes every path and the result is selected.
#pragma once

// e^x. <= 1 ulp on [-104, 88.7], gradual underflow included; 0 below, inf above; NaN stays NaN.
// Source of the scheme: x = n·ln2 + r with ln2 in two parts (Cody and Waite 1980); polynomial: Cephes expf.
KEYHOLE_INLINE vf vexp(vf x) {
  x = min(splat(89.0f), max(splat(-105.0f), x));
  const vf round = splat(12582912.0f);  // 1.5·2^23: adding it rounds to the nearest whole number
  vf n = fma(x, splat(1.44269504f), round) - round;
  vf r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  vf p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  return scale_by_power(fma(p, r * r, r) + splat(1.0f), n);
}

// Natural logarithm. ln 0 = -inf, below 0 NaN, +inf and NaN stay. <= 2 ulp.
// Source: Cephes logf; subnormals are scaled up first.
KEYHOLE_INLINE vf vlog(vf x) {
  const float infinity = __builtin_inff();
  vi small = x < splat(1.17549435e-38f);
  vf y = select(small, x * splat(8388608.0f), x);
  vi bits = as_int(y);
  vi exponent = ((bits - 0x3f3504f3) >> 23);  // so that the mantissa lies in [sqrt(1/2), sqrt(2))
  vf f = as_float(bits - (exponent << 23)) - splat(1.0f);
  vf e = to_float(exponent) - select(small, splat(23.0f), vf{});
  vf z = f * f;
  vf p = splat(7.0376836292e-2f);
  p = fma(p, f, splat(-1.1514610310e-1f));
  p = fma(p, f, splat(1.1676998740e-1f));
  p = fma(p, f, splat(-1.2420140846e-1f));
  p = fma(p, f, splat(1.4249322787e-1f));
  p = fma(p, f, splat(-1.6668057665e-1f));
  p = fma(p, f, splat(2.0000714765e-1f));
  p = fma(p, f, splat(-2.4999993993e-1f));
  p = fma(p, f, splat(3.3333331174e-1f));
  vf low = fma(e, splat(-2.12194440e-4f), p * f * z);
  low = fma(splat(-0.5f), z, low);
  vf result = fma(e, splat(0.693359375f), f + low);
  result = select(x == vf{}, splat(-infinity), result);
  result = select(x < vf{}, splat(__builtin_nanf("")), result);
  return select((x == splat(infinity)) | (x != x), x, result);
}

// Hyperbolic tangent, <= 2 ulp. Source: Cephes tanhf.
KEYHOLE_INLINE vf vtanh(vf x) {
  vf a = absolute(x);
  vf e = vexp(splat(-2.0f) * a);
  vf large = copy_sign((splat(1.0f) - e) / (splat(1.0f) + e), x);
  vf z = x * x;
  vf p = splat(-5.70498872745e-3f);
  p = fma(p, z, splat(2.06390887954e-2f));
  p = fma(p, z, splat(-5.37397155531e-2f));
  p = fma(p, z, splat(1.33314422036e-1f));
  p = fma(p, z, splat(-3.33332819422e-1f));
  vf small = fma(p * z, x, x);
  return select(a > splat(0.625f), large, small);  // NaN takes `small` and stays NaN
}

// Error function, <= 2 ulp. Source of the coefficients: N. Juffa's public-domain erff (minimax, two intervals).
KEYHOLE_INLINE vf verf(vf x) {
  vf t = absolute(x), s = x * x;
  vf r = fma(splat(-1.72853470e-5f), t, splat(3.83197126e-4f));
  vf u = fma(splat(-3.88396438e-3f), t, splat(2.42546219e-2f));
  r = fma(r, s, u);
  r = fma(r, t, splat(-1.06777877e-1f));
  r = fma(r, t, splat(-6.34846687e-1f));
  r = fma(r, t, splat(-1.28717512e-1f));
  r = fma(r, t, -t);
  vf large = copy_sign(splat(1.0f) - vexp(r), x);
  vf p = splat(-5.96761703e-4f);
  p = fma(p, s, splat(4.99119423e-3f));
  p = fma(p, s, splat(-2.67681349e-2f));
  p = fma(p, s, splat(1.12819925e-1f));
  p = fma(p, s, splat(-3.76125336e-1f));
  p = fma(p, s, splat(1.28379166e-1f));
  vf small = fma(p, x, x);
  return select(t > splat(0.927734375f), large, small);
}

// x·Φ(x), the exact (erf) gelu; absolute error <= 5e-7 on [-20, 20].
KEYHOLE_INLINE vf vgelu(vf x) {
  vf half = splat(0.5f) * x;
  return fma(half, verf(x * splat(0.70710678f)), half);
}
