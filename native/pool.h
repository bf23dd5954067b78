// Worker threads that live as long as some environment uses them, and memory for each. Implements the two services of
// keyhole::call. pool.cpp is the only file with threads; no target region sees this header.
#pragma once

#include "call.h"

namespace keyhole {

// Holds the workers for one kernel, so that environments take turns. Whoever finds them taken runs alone: the bits are
// the same. At most `threads` threads work, the caller among them.
class pool_turn {
 public:
  explicit pool_turn(int threads);
  ~pool_turn();
  pool_turn(const pool_turn&) = delete;
  pool_turn& operator=(const pool_turn&) = delete;
  void serve(call& c) const;

 private:
  bool holds_;
  int threads_;
};

// Environments that are using the pool; the last one to leave stops the workers.
void enter_pool();
void leave_pool();

constexpr int max_threads = 64;

}  // namespace keyhole
