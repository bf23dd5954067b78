// The most multiply-adds this target can do: chains of them in registers only, no memory. What `keyhole bench` holds
// kernels against. Not a kernel of kernels.def and not part of the WASM modules; included by targets/*.cpp after
// all.inl.h. Who measures: ../measure.h.
#pragma once

// Enough independent chains to hide the latency of all units, few enough to stay in registers with two constants.
constexpr int peak_chains = vector_registers == 32 ? 24 : 14;

// One task: `rounds` steps of every chain x = x·factor + summand, which stays finite and normal. The sum goes to
// result[worker], so that nothing can be left out.
static void multiply_add_chains(const call&, i64, int worker, void* state) {
  auto& work = *static_cast<peak_work*>(state);
  const vf factor = splat(work.factor), summand = splat(work.summand);
  vf x[peak_chains];
#pragma GCC unroll 24
  for (int i = 0; i < peak_chains; i++) x[i] = splat((float)i);
  for (i64 round = 0; round < work.rounds; round++) {
#pragma GCC unroll 24
    for (int i = 0; i < peak_chains; i++) x[i] = fma(x[i], factor, summand);
  }
  vf sum{};
#pragma GCC unroll 24
  for (int i = 0; i < peak_chains; i++) sum = sum + x[i];
  work.result[worker] = sum[0];
}
