// The whole kernel text, once per target: included inside the target's region and inside its own namespace, which
// defines `target_name`. Everything here is static. Order: vectors, generator, packing, kernels, table.
#include "../simd/vec.h"
#include "../simd/math.h"
#include "dropout.inl.h"
#include "matmul_tile.inl.h"
#include "matmul_pack.inl.h"
#include "matmul.inl.h"
#include "elementwise.inl.h"
#include "copy.inl.h"
#include "functions.inl.h"
#include "rows.inl.h"
#include "softmax.inl.h"
#include "norm.inl.h"
#include "reduce.inl.h"
#include "adamw.inl.h"
#include "attention_forward.inl.h"
#include "attention_backward.inl.h"
#include "attention_weights.inl.h"
#include "attention_transposed.inl.h"

// In the order of kernels.def.
static const kernel_function kernel_table[] = {
#define KERNEL(name, operands, scalars) name,
#define UNARY(name)
#define BINARY(name)
#define REDUCE(name)
#define ACTIVATION(name)
#define STATISTIC(name)
#define SCORE(name)
#include "../kernels.def"
#undef KERNEL
#undef UNARY
#undef BINARY
#undef REDUCE
#undef ACTIVATION
#undef STATISTIC
#undef SCORE
};

static int run(int kernel, const call& c, trace& ran) {
  ran.target = target_name;
  ran.lanes = VL;
  return kernel_table[kernel](c);
}
