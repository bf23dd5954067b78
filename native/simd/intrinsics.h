// The platform's vector intrinsics. Included once at the top of a target file, before its region is opened; vec.h is
// then included inside the region and inside the target's namespace.
#pragma once

#if defined(__x86_64__)
// GCC 12 reports its own _mm512_undefined_ps as uninitialised wherever an AVX-512 intrinsic is inlined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif
