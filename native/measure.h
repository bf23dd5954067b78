// The machine's limits, for `keyhole bench`: multiply-adds in registers of one target, and copies of arrays larger than
// any cache, both with the kernels' own threads. Rates are those of the fastest of several runs: a limit, not a mean.
// Included by addon.cpp only.
#pragma once

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "pool.h"
#include "target.h"

namespace keyhole {

constexpr int measured_runs = 40;

// Tasks a worker: several, so that a worker that starts late or is interrupted does not hold up the others.
constexpr i64 tasks_per_worker = 16;

// Seconds of the fastest run of all tasks. The first run warms up.
inline double fastest(const call& c, task_function task, void* state) {
  double best = 1e300;
  for (int run = 0; run <= measured_runs; run++) {
    const auto start = std::chrono::steady_clock::now();
    c.parallel(c, c.threads * tasks_per_worker, task, state);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (run > 0 && seconds < best) best = seconds;
  }
  return best;
}

// Multiplications and additions a second, a fused pair counting as two.
inline double multiply_add_rate(const target& t, int threads) {
  const pool_turn turn(threads);
  call c{};
  turn.serve(c);
  peak_work work{/*rounds*/ 50000, /*factor*/ 0.5f, /*summand*/ 1.0f, {}};
  const double seconds = fastest(c, t.multiply_add_chains, &work);
  return (double)(c.threads * tasks_per_worker) * (double)work.rounds * t.operations_per_round / seconds;
}

struct copy_work {
  char *to, *from;
  size_t bytes;  // a task
};

inline void copy_part(const call&, i64 index, int, void* state) {
  const auto& work = *static_cast<copy_work*>(state);
  std::memcpy(work.to + (size_t)index * work.bytes, work.from + (size_t)index * work.bytes, work.bytes);
}

// Bytes read and written a second; 0 when there is no room for the arrays.
inline double copy_rate(int threads) {
  constexpr size_t bytes = size_t(128) << 20;
  const pool_turn turn(threads);
  call c{};
  turn.serve(c);
  const size_t part = bytes / (size_t)(c.threads * tasks_per_worker);
  copy_work work{static_cast<char*>(std::malloc(bytes)), static_cast<char*>(std::malloc(bytes)), part};
  double rate = 0;
  if (work.to && work.from) {
    std::memset(work.from, 1, bytes);
    rate = 2.0 * (double)part * (double)(c.threads * tasks_per_worker) / fastest(c, copy_part, &work);
  }
  std::free(work.to);
  std::free(work.from);
  return rate;
}

}  // namespace keyhole
