// Score programs: a formula on scores, as instructions, run for a row of keys at a time. Its words are checked when a call
// begins (read_program); after that no index can leave its memory. What the instructions compute: src/core/scoreOps.ts.
//
// An instruction's values lie in a slot of `pitch` floats and are computed for all keys of the row before the next
// instruction, so that choosing what to do costs little. What does not vary from key to key is computed once a row, in
// VL equal lanes. Gradients go back through the same slots; those of a value that does not vary stay spread over VL lanes,
// whose sum they are. A gradient of 0 stays 0, whatever it is multiplied by.
//
// No multiplication is fused with an addition: positions give the same indices and comparisons on every target.
#pragma once

constexpr int max_instructions = 256;
constexpr i64 max_captured = 1 << 24;  // larger indices are not exact in float

struct score_instruction {
  int op;
  int operand[3];  // earlier instructions; 0 where there is none
  int added;       // to a position
  float constant;
  bool varies;     // from key to key
  bool followed;   // a gradient that is wanted passes through
};

struct score_program {
  score_instruction at[max_instructions];
  int count;
  const float* captured;
  i64 captured_stride, captured_size;
};

static int operand_count(int op) {
  using namespace scoreOps;
  if (op == select_) return 3;
  if (op == lookup_ || (op >= negate_ && op <= floor_)) return 1;
  return op >= add_ ? 2 : 0;
}

// One instruction from its four numbers; false when it cannot be run.
static bool read_instruction(score_program& g, const int* word, i64 stride, bool captured_wanted) {
  using namespace scoreOps;
  score_instruction& x = g.at[g.count];
  x = score_instruction{};
  x.op = word[0];
  if (x.op < 0 || x.op >= scoreOps::count || (x.op == score_) != (g.count == 0)) return false;
  if (x.op == lookup_ && g.captured_size == 0) return false;
  x.varies = x.op == score_ || x.op == k_;
  x.followed = x.op == score_ || (x.op == lookup_ && captured_wanted);
  for (int o = 0; o < operand_count(x.op); o++) {
    x.operand[o] = word[(1 + o) * stride];
    if (x.operand[o] < 0 || x.operand[o] >= g.count) return false;
    x.varies |= g.at[x.operand[o]].varies;
    x.followed |= x.op != lookup_ && g.at[x.operand[o]].followed;
  }
  if (x.op == constant_) x.constant = as_float(splat_int(word[stride]))[0];
  else if (operand_count(x.op) == 0) x.added = word[stride];
  g.count++;
  return true;
}

// Fills g, with count 0 when the call has no program. False when the program cannot be run.
static bool read_program(score_program& g, const call& c, int program, int captured, bool captured_wanted = false) {
  const view &words = c.operand[program], &values = c.operand[captured];
  g.count = 0;
  if (!words.data) return true;
  g.captured = static_cast<const float*>(values.data);
  g.captured_stride = values.stride[0], g.captured_size = values.data ? values.size[0] : 0;
  if (words.size[0] < 1 || words.size[0] > max_instructions || g.captured_size > max_captured) return false;
  for (i64 n = 0; n < words.size[0]; n++)
    if (!read_instruction(g, static_cast<const int*>(words.data) + n * words.stride[0], words.stride[1], captured_wanted))
      return false;
  return true;
}

// Floats of the slots of one row of at most `pitch` keys.
static i64 program_floats(const score_program* g, i64 pitch) { return g ? g->count * pitch : 0; }

// A row of keys on its way through a program.
struct program_row {
  const score_program* g;
  float* values;     // [count][pitch]
  float* gradients;  // [count][pitch]; null when there are none
  i64 pitch;
  i64 columns;       // a multiple of VL
  i64 b, h, q, k;    // of the first column

  // Scores lie where the row has them; so does the result, unless gradients need both.
  float* slot(int n, float* s) const { return !gradients && (n == 0 || n == g->count - 1) && g->at[n].varies ? s : values + n * pitch; }
  i64 end(int n) const { return g->at[n].varies ? columns : VL; }
  // Keeps what varies moving, and the rest where it is.
  i64 step(int n) const { return g->at[n].varies ? -1 : 0; }
};

KEYHOLE_INLINE vi captured_place(const score_program& g, vf index) {
  return __builtin_convertvector(min(splat((float)(g.captured_size - 1)), max(index, vf{})), vi);
}

KEYHOLE_INLINE vf look_up(const score_program& g, vf index) {
  const vi place = captured_place(g, index);
  vf x{};
  for (int lane = 0; lane < VL; lane++) x[lane] = g.captured[place[lane] * g.captured_stride];
  return x;
}

// Slot n = f(a, b, c) of its operands.
template <int Operands, class F>
KEYHOLE_INLINE void compute(const program_row& r, int n, float* s, F f) {
  const int* of = r.g->at[n].operand;
  float* to = r.slot(n, s);
  const float *a = r.slot(of[0], s), *b = r.slot(of[1], s), *c = r.slot(of[2], s);
  const i64 step_a = r.step(of[0]), step_b = r.step(of[1]), step_c = r.step(of[2]), end = r.end(n);
  for (i64 j = 0; j < end; j += VL) {
    if constexpr (Operands == 1) store(to + j, f(load(a + (j & step_a))));
    else if constexpr (Operands == 2) store(to + j, f(load(a + (j & step_a)), load(b + (j & step_b))));
    else store(to + j, f(load(a + (j & step_a)), load(b + (j & step_b)), load(c + (j & step_c))));
  }
}

static void run_source(const program_row& r, int n, float* s) {
  using namespace scoreOps;
  const score_instruction& x = r.g->at[n];
  float* to = r.slot(n, s);
  switch (x.op) {
    case constant_: return store(to, splat(x.constant));
    case b_: return store(to, splat((float)(r.b + x.added)));
    case h_: return store(to, splat((float)(r.h + x.added)));
    case q_: return store(to, splat((float)(r.q + x.added)));
    default:
      for (i64 j = 0; j < r.columns; j += VL) store(to + j, splat((float)(r.k + x.added + j)) + to_float(lanes()));
  }
}

static void run_instruction(const program_row& r, int n, float* s) {
  using namespace scoreOps;
  const vf one = splat(1.0f);
  switch (r.g->at[n].op) {
    case lookup_: return compute<1>(r, n, s, [&](vf a) KEYHOLE_LAMBDA { return look_up(*r.g, a); });
    case add_: return compute<2>(r, n, s, [](vf a, vf b) KEYHOLE_LAMBDA { return a + b; });
    case subtract_: return compute<2>(r, n, s, [](vf a, vf b) KEYHOLE_LAMBDA { return a - b; });
    case multiply_: return compute<2>(r, n, s, [](vf a, vf b) KEYHOLE_LAMBDA { return a * b; });
    case divide_: return compute<2>(r, n, s, [](vf a, vf b) KEYHOLE_LAMBDA { return a / b; });
    case minimum_: return compute<2>(r, n, s, [](vf a, vf b) KEYHOLE_LAMBDA { return min(a, b); });
    case maximum_: return compute<2>(r, n, s, [](vf a, vf b) KEYHOLE_LAMBDA { return max(a, b); });
    case negate_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return -a; });
    case absolute_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return absolute(a); });
    case exp_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return vexp(a); });
    case log_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return vlog(a); });
    case tanh_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return vtanh(a); });
    case sqrt_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return square_root(a); });
    case floor_: return compute<1>(r, n, s, [](vf a) KEYHOLE_LAMBDA { return round_down(a); });
    case less_: return compute<2>(r, n, s, [&](vf a, vf b) KEYHOLE_LAMBDA { return select(a < b, one, vf{}); });
    case lessEqual_: return compute<2>(r, n, s, [&](vf a, vf b) KEYHOLE_LAMBDA { return select(a <= b, one, vf{}); });
    case equal_: return compute<2>(r, n, s, [&](vf a, vf b) KEYHOLE_LAMBDA { return select(a == b, one, vf{}); });
    case select_: return compute<3>(r, n, s, [](vf a, vf b, vf c) KEYHOLE_LAMBDA { return select(a != vf{}, b, c); });
    default: return run_source(r, n, s);
  }
}

// s[0 … columns-1]: scores → what the program makes of them.
static void run_program(const program_row& r, float* s) {
  const int last = r.g->count - 1;
  for (i64 j = 0; j < r.columns && r.gradients; j += VL) store(r.values + j, load(s + j));
  for (int n = 1; n <= last; n++) run_instruction(r, n, s);
  const float* result = r.slot(last, s);
  if (result == s) return;
  for (i64 j = 0; j < r.columns; j += VL) store(s + j, load(result + (j & r.step(last))));
}

// The gradient of operand o of instruction n grows by f(gradient of n, a, b, value of n).
template <class F>
KEYHOLE_INLINE void pass_on(const program_row& r, int n, int o, F f) {
  const int* of = r.g->at[n].operand;
  if (!r.g->at[of[o]].followed) return;
  float* to = r.gradients + of[o] * r.pitch;
  const float *mine = r.gradients + n * r.pitch, *value = r.values + n * r.pitch;
  const float *a = r.values + of[0] * r.pitch, *b = r.values + of[1] * r.pitch;
  const i64 step = r.step(of[o]), step_a = r.step(of[0]), step_b = r.step(of[1]), end = r.end(n);
  for (i64 j = 0; j < end; j += VL) {
    const vf g = load(mine + j), x = f(g, load(a + (j & step_a)), load(b + (j & step_b)), load(value + j));
    store(to + (j & step), load(to + (j & step)) + select(g == vf{}, vf{}, x));
  }
}

// dcaptured[index] += the gradients of a lookup, in ascending order of keys.
static void scatter(const program_row& r, int n, float* dcaptured) {
  const int index = r.g->at[n].operand[0];
  const float *mine = r.gradients + n * r.pitch, *of = r.values + index * r.pitch;
  if (!r.g->at[n].varies) {
    dcaptured[captured_place(*r.g, load(of))[0]] += sum(load(mine));
    return;
  }
  for (i64 j = 0; j < r.columns; j += VL) {
    const vi place = captured_place(*r.g, load(of + j));
    for (int lane = 0; lane < VL; lane++) dcaptured[place[lane]] += mine[j + lane];
  }
}

static void pass_back(const program_row& r, int n, float* dcaptured) {
  using namespace scoreOps;
  switch (r.g->at[n].op) {
    case lookup_: return dcaptured ? scatter(r, n, dcaptured) : void();
    case add_:
      pass_on(r, n, 0, [](vf g, vf, vf, vf) KEYHOLE_LAMBDA { return g; });
      return pass_on(r, n, 1, [](vf g, vf, vf, vf) KEYHOLE_LAMBDA { return g; });
    case subtract_:
      pass_on(r, n, 0, [](vf g, vf, vf, vf) KEYHOLE_LAMBDA { return g; });
      return pass_on(r, n, 1, [](vf g, vf, vf, vf) KEYHOLE_LAMBDA { return -g; });
    case multiply_:
      pass_on(r, n, 0, [](vf g, vf, vf b, vf) KEYHOLE_LAMBDA { return g * b; });
      return pass_on(r, n, 1, [](vf g, vf a, vf, vf) KEYHOLE_LAMBDA { return g * a; });
    case divide_:
      pass_on(r, n, 0, [](vf g, vf, vf b, vf) KEYHOLE_LAMBDA { return g / b; });
      return pass_on(r, n, 1, [](vf g, vf, vf b, vf y) KEYHOLE_LAMBDA { return -(g * y / b); });
    case minimum_:
      pass_on(r, n, 0, [](vf g, vf a, vf b, vf) KEYHOLE_LAMBDA { return select(a < b, g, vf{}); });
      return pass_on(r, n, 1, [](vf g, vf a, vf b, vf) KEYHOLE_LAMBDA { return select(a < b, vf{}, g); });
    case maximum_:
      pass_on(r, n, 0, [](vf g, vf a, vf b, vf) KEYHOLE_LAMBDA { return select(a > b, g, vf{}); });
      return pass_on(r, n, 1, [](vf g, vf a, vf b, vf) KEYHOLE_LAMBDA { return select(a > b, vf{}, g); });
    case negate_: return pass_on(r, n, 0, [](vf g, vf, vf, vf) KEYHOLE_LAMBDA { return -g; });
    case absolute_:
      return pass_on(r, n, 0, [](vf g, vf a, vf, vf) KEYHOLE_LAMBDA { return select(a > vf{}, g, select(a < vf{}, -g, vf{})); });
    case exp_: return pass_on(r, n, 0, [](vf g, vf, vf, vf y) KEYHOLE_LAMBDA { return g * y; });
    case log_: return pass_on(r, n, 0, [](vf g, vf a, vf, vf) KEYHOLE_LAMBDA { return g / a; });
    case tanh_: return pass_on(r, n, 0, [](vf g, vf, vf, vf y) KEYHOLE_LAMBDA { return g * (splat(1.0f) - y * y); });
    case sqrt_: return pass_on(r, n, 0, [](vf g, vf, vf, vf y) KEYHOLE_LAMBDA { return splat(0.5f) * g / y; });
    case select_:
      pass_on(r, n, 1, [](vf g, vf a, vf, vf) KEYHOLE_LAMBDA { return select(a != vf{}, g, vf{}); });
      return pass_on(r, n, 2, [](vf g, vf a, vf, vf) KEYHOLE_LAMBDA { return select(a != vf{}, vf{}, g); });
    default: return;  // floor and comparisons are flat
  }
}

// ds[0 … columns-1]: gradients of results → those of scores, after run_program; adds to dcaptured, unless
// it is null, what lookups get.
static void differentiate_program(const program_row& r, float* ds, float* dcaptured) {
  const int last = r.g->count - 1;
  for (int n = 0; n <= last; n++)
    for (i64 j = 0; j < r.end(n) && r.g->at[n].followed; j += VL) store(r.gradients + n * r.pitch + j, vf{});
  float* result = r.gradients + last * r.pitch;
  for (i64 j = 0; j < r.columns && r.g->at[last].followed; j += VL)
    store(result + (j & r.step(last)), load(result + (j & r.step(last))) + load(ds + j));
  for (int n = last; n > 0; n--)
    if (r.g->at[n].followed) pass_back(r, n, dcaptured);
  for (i64 j = 0; j < r.columns; j += VL) store(ds + j, load(r.gradients + j));
}
