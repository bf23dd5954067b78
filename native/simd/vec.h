// Vectors of float and 32-bit integers: the only place that knows lane counts. Included inside a target's region and
// namespace, after intrinsics.h. The target file defines one of KEYHOLE_AVX512, KEYHOLE_AVX2, KEYHOLE_NEON,
// KEYHOLE_WASM, KEYHOLE_WASM_RELAXED, or none for 128-bit x86 without FMA.
//
// + - * / and comparisons are the compiler's own on these types (a comparison gives a vi of 0 and -1); shifts, & | ^ ~
// and wrapping * work on vi and vu. What the operators lack is below. Next: math.h (exp, log, tanh, erf).
#pragma once

#define KEYHOLE_INLINE static inline __attribute__((always_inline))

#if defined(KEYHOLE_AVX512)
constexpr int VL = 16;
#elif defined(KEYHOLE_AVX2)
constexpr int VL = 8;
#else
constexpr int VL = 4;
#endif

// Vector registers, which bound a kernel's register tile.
#if defined(KEYHOLE_AVX512) || defined(KEYHOLE_NEON)
constexpr int vector_registers = 32;
#elif defined(KEYHOLE_WASM) || defined(KEYHOLE_WASM_RELAXED)
constexpr int vector_registers = 12;  // what V8 leaves of 16: a tile of 12 sums spills (21 GFLOP/s), one of 8 does not (36)
#else
constexpr int vector_registers = 16;
#endif

typedef float vf __attribute__((vector_size(VL * 4)));
typedef int vi __attribute__((vector_size(VL * 4)));
typedef unsigned vu __attribute__((vector_size(VL * 4)));
typedef float vf_memory __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef int vi_memory __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef unsigned char vb_memory __attribute__((vector_size(VL), aligned(1), may_alias));

KEYHOLE_INLINE vf splat(float x) { return x - vf{}; }  // not vf{} + x, which would turn -0 into 0
KEYHOLE_INLINE vi splat_int(int x) { return vi{} + x; }
KEYHOLE_INLINE vu splat_bits(unsigned x) { return vu{} + x; }
KEYHOLE_INLINE vf load(const float* p) { return *reinterpret_cast<const vf_memory*>(p); }
KEYHOLE_INLINE void store(float* p, vf x) { *reinterpret_cast<vf_memory*>(p) = x; }
KEYHOLE_INLINE vi load_int(const int* p) { return *reinterpret_cast<const vi_memory*>(p); }
KEYHOLE_INLINE void store_int(int* p, vi x) { *reinterpret_cast<vi_memory*>(p) = x; }
KEYHOLE_INLINE vi as_int(vf x) { return (vi)x; }
KEYHOLE_INLINE vf as_float(vi x) { return (vf)x; }
KEYHOLE_INLINE vu as_bits(vi x) { return (vu)x; }
KEYHOLE_INLINE vf to_float(vi x) { return __builtin_convertvector(x, vf); }
// VL bytes, zero-extended.
KEYHOLE_INLINE vi load_bytes(const unsigned char* p) {
  return __builtin_convertvector(*reinterpret_cast<const vb_memory*>(p), vi);
}

// 0, 1, 2, …
KEYHOLE_INLINE vi lanes() {
#if defined(KEYHOLE_AVX512)
  return vi{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif defined(KEYHOLE_AVX2)
  return vi{0, 1, 2, 3, 4, 5, 6, 7};
#else
  return vi{0, 1, 2, 3};
#endif
}

// a·b + c, rounded once where the target has FMA, twice where it has not; the same everywhere within a target.
KEYHOLE_INLINE vf fma(vf a, vf b, vf c) {
#if defined(KEYHOLE_AVX512)
  return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(KEYHOLE_AVX2)
  return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(KEYHOLE_NEON)
  return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(KEYHOLE_WASM_RELAXED)
  return (vf)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
#else
  return a * b + c;
#endif
}

// mask lanes are 0 or -1.
KEYHOLE_INLINE vf select(vi mask, vf a, vf b) {
#if defined(KEYHOLE_AVX512)
  return mask ? a : b;
#elif defined(KEYHOLE_AVX2)
  return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)(vf)mask);
#elif defined(KEYHOLE_WASM) || defined(KEYHOLE_WASM_RELAXED)
  return (vf)wasm_v128_bitselect((v128_t)a, (v128_t)b, (v128_t)mask);
#else
  return (vf)((mask & (vi)a) | (~mask & (vi)b));
#endif
}

// 0 where the mask's lane is -1, else a.
KEYHOLE_INLINE vf unless(vi mask, vf a) {
#if defined(KEYHOLE_AVX512)
  return mask ? vf{} : a;
#else
  return (vf)(~mask & (vi)a);
#endif
}

// a > b ? a : b, so b when either is NaN.
KEYHOLE_INLINE vf max(vf a, vf b) {
#if defined(KEYHOLE_AVX512)
  return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(KEYHOLE_AVX2)
  return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (vf)_mm_max_ps((__m128)a, (__m128)b);
#elif defined(KEYHOLE_WASM) || defined(KEYHOLE_WASM_RELAXED)
  return (vf)wasm_f32x4_pmax((v128_t)b, (v128_t)a);
#else
  return select(a > b, a, b);
#endif
}

// a < b ? a : b, so b when either is NaN.
KEYHOLE_INLINE vf min(vf a, vf b) {
#if defined(KEYHOLE_AVX512)
  return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(KEYHOLE_AVX2)
  return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (vf)_mm_min_ps((__m128)a, (__m128)b);
#elif defined(KEYHOLE_WASM) || defined(KEYHOLE_WASM_RELAXED)
  return (vf)wasm_f32x4_pmin((v128_t)b, (v128_t)a);
#else
  return select(a < b, a, b);
#endif
}

KEYHOLE_INLINE vf absolute(vf x) { return (vf)((vi)x & 0x7fffffff); }
// The magnitude of x with the sign of s.
KEYHOLE_INLINE vf copy_sign(vf x, vf s) { return (vf)(((vi)x & 0x7fffffff) | ((vi)s & (int)0x80000000)); }

KEYHOLE_INLINE vf square_root(vf x) {
#if defined(KEYHOLE_AVX512)
  return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(KEYHOLE_AVX2)
  return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
  return (vf)_mm_sqrt_ps((__m128)x);
#elif defined(KEYHOLE_NEON)
  return (vf)vsqrtq_f32((float32x4_t)x);
#else
  return (vf)wasm_f32x4_sqrt((v128_t)x);
#endif
}

// The largest whole number that is not above x; NaN stays NaN.
KEYHOLE_INLINE vf round_down(vf x) {
  const vf cut = to_float(__builtin_convertvector(x, vi)), down = cut - select(cut > x, splat(1.0f), vf{});
  return select(absolute(x) < splat(8388608.0f), down, x);  // from 2^23 on all are whole
}

// AddressSanitizer does not see masked loads and stores, so there every target goes lane by lane.
#if defined(KEYHOLE_AVX512) && !defined(__SANITIZE_ADDRESS__)
#define KEYHOLE_MASKED_512
#elif defined(KEYHOLE_AVX2) && !defined(__SANITIZE_ADDRESS__)
#define KEYHOLE_MASKED_256
#endif

// The first n lanes (0 <= n <= VL); the rest are 0 and their memory is not touched.
KEYHOLE_INLINE vf load_partial(const float* p, int n) {
#if defined(KEYHOLE_MASKED_512)
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(KEYHOLE_MASKED_256)
  if (n >= VL) return load(p);
  return (vf)_mm256_maskload_ps(p, (__m256i)(lanes() < n));
#else
  if (n >= VL) return load(p);
  vf x{};
#pragma GCC unroll 15
  for (int lane = 0; lane < VL - 1; lane++)
    if (lane < n) x[lane] = p[lane];
  return x;
#endif
}

KEYHOLE_INLINE void store_partial(float* p, vf x, int n) {
#if defined(KEYHOLE_MASKED_512)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
#elif defined(KEYHOLE_MASKED_256)
  if (n >= VL) return store(p, x);  // a masked store is microcoded on Zen 4
  _mm256_maskstore_ps(p, (__m256i)(lanes() < n), (__m256)x);
#else
  if (n >= VL) return store(p, x);
#pragma GCC unroll 15
  for (int lane = 0; lane < VL - 1; lane++)
    if (lane < n) p[lane] = x[lane];
#endif
}

// n lanes that lie `stride` elements apart.
KEYHOLE_INLINE vf load_strided(const float* p, long long stride, int n) {
  if (stride == 1) return n >= VL ? load(p) : load_partial(p, n);
  vf x{};
  for (int lane = 0; lane < n; lane++) x[lane] = p[lane * stride];
  return x;
}

KEYHOLE_INLINE void store_strided(float* p, long long stride, vf x, int n) {
  if (stride == 1) return n >= VL ? store(p, x) : store_partial(p, x, n);
  for (int lane = 0; lane < n; lane++) p[lane * stride] = x[lane];
}

KEYHOLE_INLINE vi load_bytes_strided(const unsigned char* p, long long stride, int n) {
  if (stride == 1 && n >= VL) return load_bytes(p);
  vi x{};
  for (int lane = 0; lane < n; lane++) x[lane] = p[lane * stride];
  return x;
}

// Lanes whose byte is not 0 keep x, the others become y; `count` grows by the lanes that keep x.
KEYHOLE_INLINE vf select_bytes(const unsigned char* p, vf x, vf y, int& count) {
#if defined(KEYHOLE_AVX512)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __mmask16 set = _mm_test_epi8_mask(bytes, bytes);
  count += __builtin_popcount(set);
  return (vf)_mm512_mask_blend_ps(set, (__m512)y, (__m512)x);
#else
  const vi set = load_bytes(p) != 0;
#if defined(KEYHOLE_AVX2)
  count += __builtin_popcount((unsigned)_mm256_movemask_ps((__m256)(vf)set));
#elif defined(__x86_64__)
  count += __builtin_popcount((unsigned)_mm_movemask_ps((__m128)(vf)set));
#elif defined(KEYHOLE_WASM) || defined(KEYHOLE_WASM_RELAXED)
  count += __builtin_popcount(wasm_i32x4_bitmask((v128_t)set));
#else
  count -= set[0] + set[1] + set[2] + set[3];
#endif
  return select(set, x, y);
#endif
}

#define KEYHOLE_SHUFFLE(a, b, ...) ((vf)__builtin_shufflevector(a, b, __VA_ARGS__))
typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));

// Horizontal sum and maximum: lane i with lane i + VL/2, then halved again, so the order is fixed.
KEYHOLE_INLINE float sum4(v4 x) { return (x[0] + x[2]) + (x[1] + x[3]); }
KEYHOLE_INLINE float max4(v4 x) {
  float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
  return a > b ? a : b;
}
#if defined(KEYHOLE_AVX512)
KEYHOLE_INLINE v8 low8(vf x) { return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7); }
KEYHOLE_INLINE v8 high8(vf x) { return __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15); }
#endif
KEYHOLE_INLINE v4 low4(v8 x) { return __builtin_shufflevector(x, x, 0, 1, 2, 3); }
KEYHOLE_INLINE v4 high4(v8 x) { return __builtin_shufflevector(x, x, 4, 5, 6, 7); }

KEYHOLE_INLINE float sum(vf x) {
#if defined(KEYHOLE_AVX512)
  v8 half = low8(x) + high8(x);
  return sum4(low4(half) + high4(half));
#elif defined(KEYHOLE_AVX2)
  return sum4(low4(x) + high4(x));
#else
  return sum4(x);
#endif
}

KEYHOLE_INLINE float maximum(vf x) {
#if defined(KEYHOLE_AVX512)
  v8 half = (v8)_mm256_max_ps((__m256)low8(x), (__m256)high8(x));
  return max4((v4)_mm_max_ps((__m128)low4(half), (__m128)high4(half)));
#elif defined(KEYHOLE_AVX2)
  return max4((v4)_mm_max_ps((__m128)low4(x), (__m128)high4(x)));
#else
  return max4(x);
#endif
}

// True when any lane of the mask is set.
KEYHOLE_INLINE bool any(vi mask) {
#if defined(KEYHOLE_AVX512)
  return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(KEYHOLE_AVX2)
  return _mm256_movemask_ps((__m256)(vf)mask) != 0;
#elif defined(__x86_64__)
  return _mm_movemask_ps((__m128)(vf)mask) != 0;
#elif defined(KEYHOLE_WASM) || defined(KEYHOLE_WASM_RELAXED)
  return wasm_v128_any_true((v128_t)mask);
#else
  return (mask[0] | mask[1] | mask[2] | mask[3]) != 0;
#endif
}

// 2^n · x for whole n in [-252, 254], rounded once, subnormal results included.
KEYHOLE_INLINE vf scale_by_power(vf x, vf n) {
#if defined(KEYHOLE_AVX512)
  return (vf)_mm512_scalef_ps((__m512)x, (__m512)n);
#else
  vi whole = __builtin_convertvector(n, vi);
  vi half = whole >> 1;
  return x * (vf)((half + 127) << 23) * (vf)((whole - half + 127) << 23);
#endif
}

// Transposes rows[0 … VL-1] of VL floats each: 4×4 blocks inside every 128 bits, then the blocks themselves.
KEYHOLE_INLINE void transpose(vf (&rows)[VL]) {
#pragma GCC unroll 4
  for (int r = 0; r < VL; r += 4) {
    vf a = rows[r], b = rows[r + 1], c = rows[r + 2], d = rows[r + 3];
#if defined(KEYHOLE_AVX512)
    vf ab0 = (vf)_mm512_unpacklo_ps((__m512)a, (__m512)b), ab1 = (vf)_mm512_unpackhi_ps((__m512)a, (__m512)b);
    vf cd0 = (vf)_mm512_unpacklo_ps((__m512)c, (__m512)d), cd1 = (vf)_mm512_unpackhi_ps((__m512)c, (__m512)d);
    rows[r] = (vf)_mm512_shuffle_ps((__m512)ab0, (__m512)cd0, 0x44);
    rows[r + 1] = (vf)_mm512_shuffle_ps((__m512)ab0, (__m512)cd0, 0xee);
    rows[r + 2] = (vf)_mm512_shuffle_ps((__m512)ab1, (__m512)cd1, 0x44);
    rows[r + 3] = (vf)_mm512_shuffle_ps((__m512)ab1, (__m512)cd1, 0xee);
#elif defined(KEYHOLE_AVX2)
    vf ab0 = (vf)_mm256_unpacklo_ps((__m256)a, (__m256)b), ab1 = (vf)_mm256_unpackhi_ps((__m256)a, (__m256)b);
    vf cd0 = (vf)_mm256_unpacklo_ps((__m256)c, (__m256)d), cd1 = (vf)_mm256_unpackhi_ps((__m256)c, (__m256)d);
    rows[r] = (vf)_mm256_shuffle_ps((__m256)ab0, (__m256)cd0, 0x44);
    rows[r + 1] = (vf)_mm256_shuffle_ps((__m256)ab0, (__m256)cd0, 0xee);
    rows[r + 2] = (vf)_mm256_shuffle_ps((__m256)ab1, (__m256)cd1, 0x44);
    rows[r + 3] = (vf)_mm256_shuffle_ps((__m256)ab1, (__m256)cd1, 0xee);
#else
    vf ab0 = KEYHOLE_SHUFFLE(a, b, 0, 4, 1, 5), ab1 = KEYHOLE_SHUFFLE(a, b, 2, 6, 3, 7);
    vf cd0 = KEYHOLE_SHUFFLE(c, d, 0, 4, 1, 5), cd1 = KEYHOLE_SHUFFLE(c, d, 2, 6, 3, 7);
    rows[r] = KEYHOLE_SHUFFLE(ab0, cd0, 0, 1, 4, 5);
    rows[r + 1] = KEYHOLE_SHUFFLE(ab0, cd0, 2, 3, 6, 7);
    rows[r + 2] = KEYHOLE_SHUFFLE(ab1, cd1, 0, 1, 4, 5);
    rows[r + 3] = KEYHOLE_SHUFFLE(ab1, cd1, 2, 3, 6, 7);
#endif
  }
#if defined(KEYHOLE_AVX512)
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m512 a = (__m512)rows[i], b = (__m512)rows[i + 4], c = (__m512)rows[i + 8], d = (__m512)rows[i + 12];
    __m512 ab0 = _mm512_shuffle_f32x4(a, b, 0x88), ab1 = _mm512_shuffle_f32x4(a, b, 0xdd);
    __m512 cd0 = _mm512_shuffle_f32x4(c, d, 0x88), cd1 = _mm512_shuffle_f32x4(c, d, 0xdd);
    rows[i] = (vf)_mm512_shuffle_f32x4(ab0, cd0, 0x88);
    rows[i + 4] = (vf)_mm512_shuffle_f32x4(ab1, cd1, 0x88);
    rows[i + 8] = (vf)_mm512_shuffle_f32x4(ab0, cd0, 0xdd);
    rows[i + 12] = (vf)_mm512_shuffle_f32x4(ab1, cd1, 0xdd);
  }
#elif defined(KEYHOLE_AVX2)
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    __m256 a = (__m256)rows[i], b = (__m256)rows[i + 4];
    rows[i] = (vf)_mm256_permute2f128_ps(a, b, 0x20);
    rows[i + 4] = (vf)_mm256_permute2f128_ps(a, b, 0x31);
  }
#endif
}
