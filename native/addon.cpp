// The Node-API door: exports call, targets, lastTarget, misalignment, multiplyAddRate and copyRate. It takes typed arrays apart, lets
// call_parser.h check everything, and runs the chosen target. A refused call returns its code and changes
// nothing; a value of the wrong kind throws. Plain C++ without exceptions. Next: pool.h.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cstdint>

#include "call_parser.h"
#include "measure.h"
#include "pool.h"
#include "target.h"

namespace keyhole {
namespace {

const target* const all_targets[] = {
#if defined(__x86_64__)
    &avx512_target, &avx2_target, &baseline_target,
#elif defined(__aarch64__)
    &neon_target,
#else
    &baseline_target,
#endif
};

// Asks the processor, and, for wide registers, whether the system saves them (XCR0): the builtin looks at both.
bool runs_here(const target& t) {
#if defined(__x86_64__)
  if (&t == &avx512_target)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (&t == &avx2_target)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#endif
  (void)t;
  return true;
}

constexpr int target_count = sizeof all_targets / sizeof all_targets[0];
bool supported[target_count];

thread_local trace last_run = {"none", 0};

bool has_exception(napi_env env) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  return pending;
}

napi_value fail(napi_env env, const char* text) {
  if (!has_exception(env)) napi_throw_type_error(env, "BACKEND", text);
  return nullptr;
}

napi_value text_of(napi_env env, const char* text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

napi_value number_of(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

element_type type_of(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array: return element_type::f32;
    case napi_int32_array: return element_type::i32;
    case napi_uint8_array: return element_type::u8;
    default: return element_type::absent;
  }
}

// Null and undefined stand for an operand that was left out. False: not memory we take.
bool memory_of(napi_env env, napi_value value, memory& to) {
  napi_typedarray_type type;
  napi_value buffer;
  size_t length = 0, offset = 0;
  to = {nullptr, 0, element_type::absent};
  if (napi_get_typedarray_info(env, value, &type, &length, &to.data, &buffer, &offset) != napi_ok) {
    napi_valuetype kind;
    return napi_typeof(env, value, &kind) == napi_ok && (kind == napi_null || kind == napi_undefined);
  }
  bool unshared = false;
  to.type = type_of(type);
  to.length = to.data ? (i64)length : 0;
  if (napi_is_arraybuffer(env, buffer, &unshared) != napi_ok || !unshared) return false;  // not a SharedArrayBuffer
  const auto address = reinterpret_cast<uintptr_t>(to.data);
  return to.type != element_type::absent && address % (uintptr_t)parsing::bytes_of(to.type) == 0;
}

bool numbers_of(napi_env env, napi_value value, const double*& data, size_t& length) {
  napi_typedarray_type type;
  void* start = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &start, nullptr, nullptr) != napi_ok) return false;
  data = static_cast<const double*>(start);
  return type == napi_float64_array && start;
}

constexpr int fixed_arguments = 5;

// A whole number in [first, end); napi_get_value_int32 would wrap around.
bool integer_of(napi_env env, napi_value value, int first, int64_t end, int& to) {
  double x = 0;
  if (napi_get_value_double(env, value, &x) != napi_ok || !(x >= first && x < (double)end)) return false;
  to = (int)x;
  return to == x;
}

// call(target, threads, kernel, numbers, count, ...memory): 0, or a code of status or refusal plus 32 times the operand.
napi_value run_call(napi_env env, napi_callback_info info) {
  size_t argument_count = fixed_arguments + max_operands, room = 0;
  napi_value arguments[fixed_arguments + max_operands];
  int chosen = 0, threads = 0, kernel = 0, count = 0;
  const double* numbers = nullptr;
  napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr);
  if (argument_count < fixed_arguments || argument_count > fixed_arguments + max_operands)
    return fail(env, "call: expected target, threads, kernel, numbers, count and up to 32 typed arrays");
  if (!integer_of(env, arguments[0], 0, target_count, chosen) || !supported[chosen])
    return fail(env, "call: expected a target that runs here");
  if (!integer_of(env, arguments[1], 1, max_threads + 1, threads)) return fail(env, "call: expected threads in [1, 64]");
  if (!integer_of(env, arguments[2], 0, kernel_count, kernel)) return fail(env, "call: expected a kernel's index");
  if (!numbers_of(env, arguments[3], numbers, room)) return fail(env, "call: expected a Float64Array of numbers");
  if (!integer_of(env, arguments[4], 0, (int64_t)(room < 4096 ? room : 4096) + 1, count)) return fail(env, "call: expected a count of numbers");
  const int operands = (int)argument_count - fixed_arguments;
  memory memories[max_operands];
  for (int o = 0; o < operands; o++)
    if (!memory_of(env, arguments[fixed_arguments + o], memories[o]))
      return fail(env, "call: expected Float32Array, Int32Array or Uint8Array on unshared memory, or null");
  call c;
  const outcome checked = parse_call(kernel, numbers, count, memories, operands, c);
  if (checked.code != accepted) return number_of(env, checked.code + 32 * checked.operand);
  pool_turn turn(threads);
  turn.serve(c);
  return number_of(env, all_targets[chosen]->run(kernel, c, last_run));
}

// targets(): for each target of this build, best first, its name, or null where it does not run here.
napi_value list_targets(napi_env env, napi_callback_info) {
  napi_value list = nullptr, null = nullptr;
  napi_create_array(env, &list);
  napi_get_null(env, &null);
  for (uint32_t at = 0; at < target_count; at++)
    napi_set_element(env, list, at, supported[at] ? text_of(env, all_targets[at]->name) : null);
  return list;
}

// lastTarget(): name and lanes as the kernel text that ran last on this thread wrote them, like "avx512/16".
napi_value last_target(napi_env env, napi_callback_info) {
  char text[32] = "";
  int at = 0;
  for (const char* p = last_run.target; *p; p++) text[at++] = *p;
  text[at++] = '/';
  if (last_run.lanes > 9) text[at++] = (char)('0' + last_run.lanes / 10);
  text[at++] = (char)('0' + last_run.lanes % 10);
  return text_of(env, text);
}

// misalignment(typedArray): its address modulo 64.
napi_value misalignment(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void* data = nullptr;
  napi_typedarray_type type;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (count != 1 || napi_get_typedarray_info(env, argument, &type, nullptr, &data, nullptr, nullptr) != napi_ok)
    return fail(env, "misalignment: expected a typed array");
  return number_of(env, (double)(reinterpret_cast<uintptr_t>(data) % 64));
}

// multiplyAddRate(target, threads): operations a second of multiply-adds in registers.
napi_value run_multiply_add_rate(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int chosen = 0, threads = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count != 2 || !integer_of(env, arguments[0], 0, target_count, chosen) || !supported[chosen])
    return fail(env, "multiplyAddRate: expected a target that runs here");
  if (!integer_of(env, arguments[1], 1, max_threads + 1, threads))
    return fail(env, "multiplyAddRate: expected threads in [1, 64]");
  return number_of(env, multiply_add_rate(*all_targets[chosen], threads));
}

// copyRate(threads): bytes read and written a second.
napi_value run_copy_rate(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int threads = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (count != 1 || !integer_of(env, argument, 1, max_threads + 1, threads))
    return fail(env, "copyRate: expected threads in [1, 64]");
  return number_of(env, copy_rate(threads));
}

void add(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
  napi_set_named_property(env, exports, name, value);
}

}  // namespace
}  // namespace keyhole

NAPI_MODULE_INIT() {
  using namespace keyhole;
  for (int t = 0; t < target_count; t++) supported[t] = runs_here(*all_targets[t]);
  enter_pool();
  napi_add_env_cleanup_hook(env, [](void*) { leave_pool(); }, nullptr);
  add(env, exports, "call", run_call);
  add(env, exports, "targets", list_targets);
  add(env, exports, "lastTarget", last_target);
  add(env, exports, "misalignment", misalignment);
  add(env, exports, "multiplyAddRate", run_multiply_add_rate);
  add(env, exports, "copyRate", run_copy_rate);
  return exports;
}
