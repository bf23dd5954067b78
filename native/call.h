// What a kernel receives: its operands as strided views, the sizes their letters bound, its scalars, and the two
// services it may use (parallel, scratch). Filled by call_parser.h from the numbers that signature.ts encodes, after
// every extent has been checked, so a kernel may touch any index inside the sizes. No standard headers here: this file
// is included inside target regions.
#pragma once

namespace keyhole {

using i64 = long long;
using u32 = unsigned int;
using u8 = unsigned char;

constexpr int max_rank = 8;
constexpr int max_operands = 32;

struct view {
  void* data;              // already advanced by the view's offset; null when the operand was left out
  i64 size[max_rank];
  i64 stride[max_rank];    // in elements
  int rank;
};

struct call;
// One unit of work: `index` in [0, tasks), `worker` in [0, threads). Units must be independent of each other.
using task_function = void (*)(const call& c, i64 index, int worker, void* state);

struct call {
  view operand[max_operands];
  i64 dim[16];             // by the kernel's dim enum (kernels.generated.h)
  double scalar[16];       // by the kernel's scalar enum
  int threads;             // workers that `parallel` may use

  // Runs task(0 … tasks-1), each exactly once, in any order, on up to `threads` workers.
  void (*parallel)(const call& c, i64 tasks, task_function task, void* state);
  // At least `bytes` of 64-byte aligned memory that belongs to `worker` until the kernel returns; null when exhausted.
  // A later call for the same worker returns the same memory: ask once, carve it up.
  void* (*scratch)(const call& c, int worker, i64 bytes);

  float* f32(int o) const { return static_cast<float*>(operand[o].data); }
  int* i32(int o) const { return static_cast<int*>(operand[o].data); }
  u8* bytes(int o) const { return static_cast<u8*>(operand[o].data); }
};

enum status : int { ok = 0, out_of_memory = 1, index_out_of_range = 2, bad_scalar = 3, too_few_blocks = 4, bad_program = 5 };

using kernel_function = int (*)(const call& c);

}  // namespace keyhole
