// 64-bit ARM, where NEON with FMA is always there; nothing to open.
#if defined(__aarch64__)
#define KEYHOLE_NEON
#include "../simd/intrinsics.h"
#include "../kernels.generated.h"
#include "../target.h"

namespace keyhole {
namespace neon {
static const char target_name[] = "neon";
#include "../kernels/all.inl.h"
#include "../kernels/peak.inl.h"
}  // namespace neon

const target neon_target = {
    neon::target_name, neon::run, neon::multiply_add_chains, 2 * neon::VL * neon::peak_chains};
}  // namespace keyhole
#endif
