// unary, unary_backward and binary: the functions of one and two numbers that kernels.def names, and their
// derivatives. Errors against float64: exp 1 ulp, log 2 ulp, tanh 2.4 ulp, sigmoid, silu and gelu 5e-7 absolute.
#pragma once

// 1/(1 + e^-x), from e^-|x| so that nothing overflows.
KEYHOLE_INLINE vf vsigmoid(vf x) {
  vf e = vexp(-absolute(x));
  vf large = splat(1.0f) / (splat(1.0f) + e);
  return select(x < vf{}, e * large, large);
}

KEYHOLE_INLINE vf vsilu(vf x) { return select(x < splat(-200.0f), vf{}, x * vsigmoid(x)); }

// σ(x)·(1 + x·(1 - σ(x)))
KEYHOLE_INLINE vf vsilu_derivative(vf x) {
  vf s = vsigmoid(x), one = splat(1.0f);
  vf rest = select(absolute(x) > splat(200.0f), vf{}, x * vsigmoid(-x));
  return s * (one + rest);
}

// NaN when either is NaN.
KEYHOLE_INLINE vf maximum_or_nan(vf a, vf b) { return select(a != a, a, max(a, b)); }
KEYHOLE_INLINE vf minimum_or_nan(vf a, vf b) { return select(a != a, a, min(a, b)); }

// The scalar `op`, or -1 when it is not a whole number in [0, count).
static int operation_code(double op, int count) {
  return op >= 0 && op < count && op == (double)(int)op ? (int)op : -1;
}

static int unary_f32(const call& c) {
  const vf zero{};
  switch (operation_code(c.scalar[unary_f32_call::s_op], unaryOps::count)) {
    case unaryOps::negate_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return -x; });
    case unaryOps::exp_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return vexp(x); });
    case unaryOps::log_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return vlog(x); });
    case unaryOps::sqrt_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return square_root(x); });
    case unaryOps::tanh_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return vtanh(x); });
    case unaryOps::sigmoid_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return vsigmoid(x); });
    case unaryOps::relu_: return map1(c, [=](vf x) KEYHOLE_LAMBDA { return select(x <= zero, zero, x); });
    case unaryOps::gelu_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return vgelu(x); });
    case unaryOps::silu_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return vsilu(x); });
    case unaryOps::square_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return x * x; });
    case unaryOps::abs_: return map1(c, [](vf x) KEYHOLE_LAMBDA { return absolute(x); });
    default: return bad_scalar;
  }
}

static int unary_backward_f32(const call& c) {
  const vf zero{}, one = splat(1.0f);
  switch (operation_code(c.scalar[unary_backward_f32_call::s_op], unaryOps::count)) {
    case unaryOps::negate_: return map2(c, [](vf, vf dy) KEYHOLE_LAMBDA { return -dy; });
    case unaryOps::exp_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy * vexp(x); });
    case unaryOps::log_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy / x; });
    case unaryOps::sqrt_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy * (splat(0.5f) / square_root(x)); });
    case unaryOps::tanh_: return map2(c, [=](vf x, vf dy) KEYHOLE_LAMBDA { vf t = vtanh(x); return dy * ((one - t) * (one + t)); });
    case unaryOps::sigmoid_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy * (vsigmoid(x) * vsigmoid(-x)); });
    case unaryOps::relu_: return map2(c, [=](vf x, vf dy) KEYHOLE_LAMBDA { return dy * select(x > zero, one, zero); });
    case unaryOps::gelu_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy * vgelu_derivative(x); });
    case unaryOps::silu_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy * vsilu_derivative(x); });
    case unaryOps::square_: return map2(c, [](vf x, vf dy) KEYHOLE_LAMBDA { return dy * (x + x); });
    case unaryOps::abs_:
      return map2(c, [=](vf x, vf dy) KEYHOLE_LAMBDA { return dy * select(x == zero, zero, copy_sign(one, x)); });
    default: return bad_scalar;
  }
}

static int binary_f32(const call& c) {
  switch (operation_code(c.scalar[binary_f32_call::s_op], binaryOps::count)) {
    case binaryOps::add_: return map2(c, [](vf a, vf b) KEYHOLE_LAMBDA { return a + b; });
    case binaryOps::subtract_: return map2(c, [](vf a, vf b) KEYHOLE_LAMBDA { return a - b; });
    case binaryOps::multiply_: return map2(c, [](vf a, vf b) KEYHOLE_LAMBDA { return a * b; });
    case binaryOps::divide_: return map2(c, [](vf a, vf b) KEYHOLE_LAMBDA { return a / b; });
    case binaryOps::maximum_: return map2(c, [](vf a, vf b) KEYHOLE_LAMBDA { return maximum_or_nan(a, b); });
    case binaryOps::minimum_: return map2(c, [](vf a, vf b) KEYHOLE_LAMBDA { return minimum_or_nan(a, b); });
    default: return bad_scalar;
  }
}
