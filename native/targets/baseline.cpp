// 128-bit x86 (SSE2), the least an x86-64 has; nothing to open. Other processors without a file of their own use it too.
#if !defined(__aarch64__)
#include "../simd/intrinsics.h"
#include "../kernels.generated.h"
#include "../target.h"

namespace keyhole {
namespace baseline {
static const char target_name[] = "baseline";
#include "../kernels/all.inl.h"
#include "../kernels/peak.inl.h"
}  // namespace baseline

const target baseline_target = {
    baseline::target_name, baseline::run, baseline::multiply_add_chains, 2 * baseline::VL * baseline::peak_chains};
}  // namespace keyhole
#endif
