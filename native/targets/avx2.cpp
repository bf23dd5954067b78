// AVX2 with FMA.
#if defined(__x86_64__)
#include "../simd/intrinsics.h"
#include "../kernels.generated.h"
#include "../target.h"

#define KEYHOLE_AVX2
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2")
#endif
namespace keyhole {
namespace avx2 {
static const char target_name[] = "avx2";
#include "../kernels/all.inl.h"
#include "../kernels/peak.inl.h"
}  // namespace avx2
}  // namespace keyhole
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const keyhole::target keyhole::avx2_target = {
    avx2::target_name, avx2::run, avx2::multiply_add_chains, 2 * avx2::VL * avx2::peak_chains};
#endif
