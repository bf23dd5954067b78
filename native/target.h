// What a target file exports: its name, its lane count, and one door to all kernels. No standard headers here.
#pragma once

#include "call.h"

namespace keyhole {

// Written by the door itself, from inside the target's region: proof of which text ran.
struct trace {
  const char* target;
  int lanes;
};

struct target {
  const char* name;
  int (*run)(int kernel, const call& c, trace& ran);
};

extern const target baseline_target, avx2_target, avx512_target, neon_target;

}  // namespace keyhole
