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

// Hyperbolic tangent, <= 2.4 ulp: (e^2a - 1) / (e^2a + 1) with a = |x|. The numerator is 2^n·(e^r - 1) + (2^n - 1), with r
// and n as in vexp, so that small a lose nothing and no second polynomial is needed. Beyond a = 9.1 it is 1.
KEYHOLE_INLINE vf vtanh(vf x) {
  const vf one = splat(1.0f), round = splat(12582912.0f);
  vf y = splat(2.0f) * min(splat(9.1f), absolute(x));  // NaN stays NaN
  vf shifted = fma(y, splat(1.44269504f), round);
  vf n = shifted - round;
  vf r = fma(n, splat(-0.693359375f), y);
  r = fma(n, splat(2.12194440e-4f), r);
  vf p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r);
  vf power = as_float((as_int(shifted) << 23) + as_int(one));  // 2^n, 0 <= n <= 27, from the low bits of n + 1.5·2^23
  vf numerator = fma(power, p, power - one);
  return copy_sign(numerator / (numerator + splat(2.0f)), x);
}

// e^(-a²/2) for 0 <= a <= 18, relative error <= 2e-7 + a²·6e-8. As 2^(n + f), the polynomial the one of degree 5 through
// the Chebyshev nodes of [-1/2, 1/2] with its constant term set to 1. Fewer steps than vexp: the range is known.
KEYHOLE_INLINE vf vbell(vf a) {
  const vf round = splat(12582912.0f), rate = splat(-0.72134752f);  // -log2(e)/2
  vf square = a * a;
  vf n = fma(square, rate, round) - round;
  vf f = fma(square, rate, -n);
  vf p = splat(1.339086336e-3f);
  p = fma(p, f, splat(9.676031918e-3f));
  p = fma(p, f, splat(5.550357114e-2f));
  p = fma(p, f, splat(2.402210749e-1f));
  p = fma(p, f, splat(6.931471880e-1f));
  return scale_by_power(fma(p, f, splat(1.0f)), n);
}

// The normal distribution below -a and its density at a, for 0 <= a <= 18: what gelu is made of. One exponential serves both.
struct normal_tail {
  vf mass, density;
};

// mass absolute <= 2e-7. Source: Abramowitz and Stegun 7.1.26, with erfc(t) = 2·mass(√2·t).
KEYHOLE_INLINE normal_tail vnormal_tail(vf a) {
  vf e = vbell(a);
  vf s = splat(1.0f) / fma(splat(0.23164189f), a, splat(1.0f));
  vf p = splat(0.5307027145f);
  p = fma(p, s, splat(-0.7265760135f));
  p = fma(p, s, splat(0.7107068705f));
  p = fma(p, s, splat(-0.142248368f));
  p = fma(p, s, splat(0.127414796f));
  return {p * s * e, splat(0.39894228f) * e};
}

// x·Φ(x), the exact (erf) gelu, as max(x, 0) - |x|·Φ(-|x|); absolute error <= 5e-7. Its second term is 0 from 18 on.
KEYHOLE_INLINE vf vgelu(vf x) {
  vf a = min(splat(18.0f), absolute(x));
  return max(vf{}, x) - a * vnormal_tail(a).mass;
}

// Φ(x) + x·φ(x); absolute error <= 5e-7.
KEYHOLE_INLINE vf vgelu_derivative(vf x) {
  vf a = min(splat(18.0f), absolute(x));
  normal_tail tail = vnormal_tail(a);
  vf below = tail.mass - a * tail.density;
  return select(x < vf{}, below, splat(1.0f) - below);
}
