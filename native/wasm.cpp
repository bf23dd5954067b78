// The WASM module: the kernel text for 128-bit SIMD (with relaxed SIMD: fused multiply-add), one thread. TypeScript
// writes the numbers and the memory table of a call into `area()`, then calls `run`. No standard library.
// Its other half: src/backend/wasm/module.ts.
#if defined(__wasm_relaxed_simd__)
#define KEYHOLE_WASM_RELAXED
#else
#define KEYHOLE_WASM
#endif
#include "simd/intrinsics.h"
#include "call_parser.h"
#include "kernels.generated.h"
#include "target.h"

namespace keyhole {
namespace wasm {
static const char target_name[] = "wasm";
#include "kernels/all.inl.h"
}  // namespace wasm

// Grows on demand; 0 when memory is exhausted. TypeScript owns the allocator.
extern "C" __attribute__((import_module("host"), import_name("scratch"))) void* host_scratch(double bytes);

struct call_area {
  double numbers[max_operands * (3 + 2 * max_rank) + 16];
  struct {
    u32 address, length;
    int type;
  } memories[max_operands];
};

static call_area shared_area;

static void run_here(const call& c, i64 tasks, task_function task, void* state) {
  for (i64 i = 0; i < tasks; i++) task(c, i, 0, state);
}

static void* scratch_here(const call&, int, i64 bytes) { return host_scratch((double)bytes); }

extern "C" __attribute__((export_name("area"))) call_area* area() { return &shared_area; }

// 0, or a code of status or refusal plus 32 times the operand.
extern "C" __attribute__((export_name("run"))) int run(int kernel, int count, int operands) {
  if (operands < 0 || operands > max_operands) return wrong_count;
  if (count < 0 || count > (int)(sizeof shared_area.numbers / sizeof(double))) return wrong_count;
  const i64 end = (i64)__builtin_wasm_memory_size(0) << 16;
  memory memories[max_operands];
  for (int o = 0; o < operands; o++) {
    const auto& from = shared_area.memories[o];
    const auto type = (element_type)from.type;
    if (type != element_type::absent && from.address + from.length * parsing::bytes_of(type) > end)
      return does_not_fit + 32 * o;
    memories[o] = {reinterpret_cast<void*>(from.address), from.length, type};
  }
  call c;
  const outcome checked = parse_call(kernel, shared_area.numbers, count, memories, operands, c);
  if (checked.code != accepted) return checked.code + 32 * checked.operand;
  c.threads = 1;
  c.parallel = run_here;
  c.scratch = scratch_here;
  trace ran;
  return wasm::run(kernel, c, ran);
}
}  // namespace keyhole
