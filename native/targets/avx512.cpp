// AVX-512: F, BW, DQ, VL.
#if defined(__x86_64__)
#include "../simd/intrinsics.h"
#include "../kernels.generated.h"
#include "../target.h"

#define KEYHOLE_AVX512
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2")
#endif
namespace keyhole {
namespace avx512 {
static const char target_name[] = "avx512";
#include "../kernels/all.inl.h"
#include "../kernels/peak.inl.h"
}  // namespace avx512
}  // namespace keyhole
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const keyhole::target keyhole::avx512_target = {
    avx512::target_name, avx512::run, avx512::multiply_add_chains, 2 * avx512::VL * avx512::peak_chains};
#endif
