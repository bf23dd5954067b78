// What a target file exports: its name, one door to all kernels, and its loop of multiply-adds for measure.h. No standard headers here.
#pragma once

#include "call.h"

namespace keyhole {

// Written by the door itself, from inside the target's region: proof of which text ran.
struct trace {
  const char* target;
  int lanes;
};

// State of one measurement with kernels/peak.inl.h.
struct peak_work {
  i64 rounds;
  float factor, summand;
  float result[64];  // a worker
};

struct target {
  const char* name;
  int (*run)(int kernel, const call& c, trace& ran);
  task_function multiply_add_chains;
  int operations_per_round;  // of multiply_add_chains
};

extern const target baseline_target, avx2_target, avx512_target, neon_target;

}  // namespace keyhole
