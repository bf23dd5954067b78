// Turns the numbers of signature.ts's encodeCall into a keyhole::call, shared by the addon and the WASM module.
//
// Everything is checked again here, whatever TypeScript checked before: the signatures of kernels.def, parsed by the
// compiler, drive it. Nothing is read through a pointer; no arithmetic can overflow, because every product is bounded by
// a division first. Next: target.h (what runs the call), addon.cpp and wasm.cpp (who fill the numbers).
#pragma once

#include "call.h"

namespace keyhole {

enum class element_type : signed char { absent = -1, f32, i32, u8 };

// The memory behind one operand, as the caller found it. `length` counts elements.
struct memory {
  void* data;
  i64 length;
  element_type type;
};

// Refusals, continuing after `status`; src/backend/callStatus.ts has the words.
enum refusal : int {
  accepted = 0,
  unknown_kernel = 8,
  wrong_count,     // of numbers or operands
  missing,         // an operand that may not be left out
  wrong_type,
  wrong_rank,
  not_whole,       // an offset, size or stride that is negative, fractional or not a safe integer
  does_not_fit,    // the view reaches past its memory
  written_twice,   // a broadcast axis of a written operand
  sizes_differ,    // from what the letters bound
  too_large,       // more elements than a safe integer counts
  overlapping,
};

struct outcome {
  refusal code;
  int operand;
};

struct operand_signature {
  element_type type;
  bool any_shape;           // [...]
  int rank;
  int letter[max_rank];     // index into call.dim, or -1
  int literal[max_rank];    // the number, where letter is -1
  bool written, may_coincide, optional;
};

struct kernel_signature {
  int operands;
  int scalars;
  operand_signature operand[max_operands];
};

namespace parsing {

// One dimension's name as a number; names have at most seven characters.
struct names {
  i64 name[16];
  int count;
  constexpr int index_of(i64 wanted) {
    for (int i = 0; i < count; i++)
      if (name[i] == wanted) return i;
    name[count] = wanted;
    return count++;
  }
};

constexpr int count_words(const char* text) {
  int words = 0;
  for (const char* p = text; *p; p++) words += *p != ' ' && (p == text || p[-1] == ' ');
  return words;
}

constexpr const char* parse_dimensions(const char* p, operand_signature& to, names& letters) {
  to.any_shape = *p == '.';
  while (to.any_shape && *p == '.') p++;
  while (*p != ']') {
    i64 name = 0;
    int number = 0;
    const bool literal = *p >= '0' && *p <= '9';
    for (; *p != ',' && *p != ']'; p++) {
      name = name * 256 + *p;
      number = number * 10 + (*p - '0');
    }
    to.letter[to.rank] = literal ? -1 : letters.index_of(name);
    to.literal[to.rank++] = literal ? number : 0;
    if (*p == ',') p++;
  }
  return p + 1;
}

constexpr const char* parse_operand(const char* p, operand_signature& to, names& letters) {
  while (*p++ != ':') {}
  to.type = *p == 'f' ? element_type::f32 : *p == 'i' ? element_type::i32 : element_type::u8;
  while (*p++ != '[') {}
  p = parse_dimensions(p, to, letters);
  for (; *p && *p != ' '; p++) {
    to.written |= *p == '!' || *p == '+';
    to.may_coincide |= *p == '=';
    to.optional |= *p == '?';
  }
  return *p ? p + 1 : p;
}

constexpr kernel_signature parse_signature(const char* operands, const char* scalars) {
  kernel_signature signature{};
  names letters{};
  while (*operands) operands = parse_operand(operands, signature.operand[signature.operands++], letters);
  signature.scalars = count_words(scalars);
  return signature;
}

}  // namespace parsing

inline constexpr kernel_signature kernel_signatures[] = {
#define KERNEL(name, operands, scalars) parsing::parse_signature(operands, scalars),
#define UNARY(name)
#define BINARY(name)
#define REDUCE(name)
#define ACTIVATION(name)
#define STATISTIC(name)
#define SCORE(name)
#include "kernels.def"
#undef KERNEL
#undef UNARY
#undef BINARY
#undef REDUCE
#undef ACTIVATION
#undef STATISTIC
#undef SCORE
};
inline constexpr int kernel_count = sizeof kernel_signatures / sizeof kernel_signatures[0];

namespace parsing {

constexpr i64 largest_whole = 9007199254740991;  // 2^53 - 1

// The numbers of one call, read once from front to back.
struct reader {
  const double* next;
  const double* end;
  bool take(double& x) {
    if (next == end) return false;
    x = *next++;
    return true;
  }
  refusal take_whole(i64& to) {
    double x;
    if (!take(x)) return wrong_count;
    if (!(x >= 0 && x <= (double)largest_whole)) return not_whole;  // NaN fails too
    to = (i64)x;
    return (double)to == x ? accepted : not_whole;
  }
};

constexpr i64 bytes_of(element_type type) { return type == element_type::u8 ? 1 : 4; }

// A view's first element and one past its last, counted from its memory's start; both 0 for an empty view.
struct extent {
  i64 first, end;
};

inline refusal read_view(reader& numbers, view& v, i64& offset) {
  i64 rank = 0;
  if (refusal code = numbers.take_whole(offset)) return code;
  if (refusal code = numbers.take_whole(rank)) return code;
  if (rank > max_rank) return wrong_rank;
  v.rank = (int)rank;
  for (int axis = 0; axis < v.rank; axis++)
    if (refusal code = numbers.take_whole(v.size[axis])) return code;
  for (int axis = 0; axis < v.rank; axis++)
    if (refusal code = numbers.take_whole(v.stride[axis])) return code;
  return accepted;
}

// The product of the sizes, zeros counted as ones, must be a safe integer.
inline refusal check_product(const view& v) {
  i64 product = 1;
  for (int axis = 0; axis < v.rank; axis++) {
    if (v.size[axis] > 1 && product > largest_whole / v.size[axis]) return too_large;
    if (v.size[axis] > 1) product *= v.size[axis];
  }
  return accepted;
}

inline refusal measure(const view& v, i64 offset, i64 length, extent& to) {
  i64 last = offset;
  to = {0, 0};
  for (int axis = 0; axis < v.rank; axis++)
    if (v.size[axis] == 0) return accepted;
  if (last >= length) return does_not_fit;
  for (int axis = 0; axis < v.rank; axis++) {
    const i64 steps = v.size[axis] - 1, stride = v.stride[axis];
    if (stride > 0 && steps > (length - 1 - last) / stride) return does_not_fit;
    last += steps * stride;
  }
  to = {offset, last + 1};
  return accepted;
}

inline refusal bind_sizes(const operand_signature& signature, const view& v, i64 (&dim)[16], bool (&bound)[16]) {
  for (int axis = 0; axis < v.rank; axis++) {
    const int letter = signature.letter[axis];
    if (letter < 0) {
      if (v.size[axis] != signature.literal[axis]) return sizes_differ;
    } else if (!bound[letter]) {
      bound[letter] = true;
      dim[letter] = v.size[axis];
    } else if (dim[letter] != v.size[axis]) {
      return sizes_differ;
    }
  }
  return accepted;
}

inline bool same_shape(const view& a, const view& b) {
  for (int axis = 0; axis < a.rank && a.rank == b.rank; axis++)
    if (a.size[axis] != b.size[axis]) return false;
  return a.rank == b.rank;
}

// Elements of axes longer than 1 lie at the same places.
inline bool same_places(const view& a, const view& b) {
  for (int axis = 0; axis < a.rank; axis++)
    if (a.size[axis] > 1 && a.stride[axis] != b.stride[axis]) return false;
  return same_shape(a, b);
}

inline bool written_twice_in(const view& v) {
  for (int axis = 0; axis < v.rank; axis++)
    if (v.size[axis] == 0) return false;
  for (int axis = 0; axis < v.rank; axis++)
    if (v.size[axis] > 1 && v.stride[axis] == 0) return true;
  return false;
}

// One operand from the numbers and its memory; leaves v.data null when it was left out.
inline refusal read_operand(const operand_signature& signature, reader& numbers, const memory& from, view& v,
                            extent& reach) {
  double present = 0;
  i64 offset = 0;
  v = view{};
  reach = {0, 0};
  if (!numbers.take(present)) return wrong_count;
  if (present == 0) return signature.optional ? accepted : missing;
  if (from.type != signature.type) return from.type == element_type::absent ? missing : wrong_type;
  if (refusal code = read_view(numbers, v, offset)) return code;
  if (!signature.any_shape && v.rank != signature.rank) return wrong_rank;
  if (refusal code = check_product(v)) return code;
  if (refusal code = measure(v, offset, from.length, reach)) return code;
  if (signature.written && written_twice_in(v)) return written_twice;
  static u8 nowhere[8];  // empty views point here, so that null means left out
  v.data = reach.end == 0 ? nowhere : static_cast<u8*>(from.data) + offset * bytes_of(signature.type);
  return accepted;
}

// Written operands may touch no other, except the very view of an input where the signature allows it.
inline outcome check_overlap(const kernel_signature& signature, const call& c, const extent* reach) {
  for (int i = 0; i < signature.operands; i++) {
    const operand_signature& output = signature.operand[i];
    if (!output.written || reach[i].end == 0) continue;
    const u8* start = c.bytes(i);
    const u8* end = start + (reach[i].end - reach[i].first) * bytes_of(output.type);
    for (int j = 0; j < signature.operands; j++) {
      if (j == i || reach[j].end == 0) continue;
      const u8* other = c.bytes(j);
      const u8* other_end = other + (reach[j].end - reach[j].first) * bytes_of(signature.operand[j].type);
      if (other_end <= start || end <= other) continue;
      const bool same = other == start && output.type == signature.operand[j].type &&
                        same_places(c.operand[i], c.operand[j]);
      if (!(output.may_coincide && same)) return {overlapping, j};
    }
  }
  return {accepted, 0};
}

}  // namespace parsing

// Fills everything of `c` but its services. `count` numbers, `operands` memories.
inline outcome parse_call(int kernel, const double* numbers, i64 count, const memory* memories, int operands, call& c) {
  using namespace parsing;
  if (kernel < 0 || kernel >= kernel_count) return {unknown_kernel, 0};
  const kernel_signature& signature = kernel_signatures[kernel];
  if (operands != signature.operands) return {wrong_count, 0};
  reader rest{numbers, numbers + count};
  extent reach[max_operands];
  bool bound[16] = {};
  const view* shape = nullptr;
  for (int i = 0; i < 16; i++) c.dim[i] = 0;
  for (int o = 0; o < operands; o++) {
    const operand_signature& wanted = signature.operand[o];
    view& v = c.operand[o];
    if (refusal code = read_operand(wanted, rest, memories[o], v, reach[o])) return {code, o};
    if (!v.data) continue;
    if (!wanted.any_shape) {
      if (refusal code = bind_sizes(wanted, v, c.dim, bound)) return {code, o};
    } else if (shape && !same_shape(*shape, v)) {
      return {sizes_differ, o};
    } else {
      shape = &v;
    }
  }
  for (int s = 0; s < signature.scalars; s++)
    if (!rest.take(c.scalar[s])) return {wrong_count, 0};
  if (rest.next != rest.end) return {wrong_count, 0};
  return check_overlap(signature, c, reach);
}

}  // namespace keyhole
