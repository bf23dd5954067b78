// The counter-based generator of dropout; src/backend/dropout.ts is the same text and explains it. Shared by the
// dropout kernel and by attention: whether (row, column) stays depends on nothing but seed, stream and position.
#pragma once

// JavaScript's ToUint32: the whole part modulo 2^32; 0 for what has none.
KEYHOLE_INLINE u32 to_u32(double x) { return x > -9e18 && x < 9e18 ? (u32)(i64)x : 0; }

KEYHOLE_INLINE u32 mix32(u32 x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

KEYHOLE_INLINE vu mix32(vu x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

KEYHOLE_INLINE u32 dropout_row_key(u32 seed, u32 stream, u32 row) { return mix32(mix32(mix32(seed) ^ stream) ^ row); }

// round(rate · 2^24), for rates in [0, 1].
KEYHOLE_INLINE u32 dropout_threshold(double rate) { return (u32)(rate * 16777216.0 + 0.5); }

// Lane i is -1 when column + i stays, else 0.
KEYHOLE_INLINE vi dropout_keep(u32 row_key, u32 column, u32 threshold) {
  vu columns = as_bits(lanes()) + column;
  vu mixed = mix32((columns * 0x9e3779b1u) ^ row_key);
  return (vi)(mixed >> 8) >= (int)threshold;
}
