// The thread pool. One job at a time: its tasks are claimed by an atomic counter, the caller works too, and it waits
// until every worker that entered the job has left it. Workers spin a little before they sleep, since kernels come in
// quick succession.
#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace keyhole {
namespace {

constexpr int spins_before_sleep = 4000;  // ~50 µs
constexpr int spins_before_yield = 200;   // the caller, waiting for the last workers

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// 64-byte aligned memory that grows and is kept.
class arena {
 public:
  ~arena() { std::free(data_); }
  void* at_least(i64 bytes) {
    if (bytes <= size_) return data_;
    if (bytes > (i64(1) << 46)) return nullptr;
    const i64 size = (bytes + 4095) / 4096 * 4096;
    std::free(data_);
    data_ = std::aligned_alloc(64, (size_t)size);
    size_ = data_ ? size : 0;
    return data_;
  }

 private:
  void* data_ = nullptr;
  i64 size_ = 0;
};

thread_local arena own_arena;  // worker 0 is whoever calls

class pool {
 public:
  std::mutex turn;  // held by a pool_turn while its kernel runs
  arena arenas[max_threads];

  void run(const call& c, i64 tasks, task_function task, void* state) {
    hire((tasks < c.threads ? tasks : c.threads) - 1);
    call_ = &c;
    tasks_ = tasks;
    task_ = task;
    state_ = state;
    next_.store(0, std::memory_order_relaxed);
    open_.store(true);
    wake();
    take_tasks(0);
    open_.store(false);
    for (int spins = 0; inside_.load() != 0; spins++) {
      if (spins < spins_before_yield) relax();
      else std::this_thread::yield();
    }
  }

  void stop() {
    stopping_.store(true);
    wake();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stopping_.store(false);
  }

 private:
  std::vector<std::thread> workers_;
  const call* call_ = nullptr;
  i64 tasks_ = 0, helpers_ = 0;
  task_function task_ = nullptr;
  void* state_ = nullptr;
  alignas(64) std::atomic<i64> next_{0};
  // A worker raises `inside_` before it looks at `open_`; the caller lowers `open_` before it looks at `inside_`. Both
  // in one total order, so either the worker sees a closed job or the caller waits for it.
  alignas(64) std::atomic<int> inside_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<unsigned> round_{0};
  std::atomic<int> sleepers_{0};
  std::mutex sleep_;
  std::condition_variable awake_;

  // As many helpers as the system grants, up to `wanted`; the job gets done with fewer.
  void hire(i64 wanted) {
    try {
      while ((i64)workers_.size() < wanted) workers_.emplace_back(&pool::work, this, (int)workers_.size() + 1);
    } catch (const std::system_error&) {
    }
    helpers_ = wanted < (i64)workers_.size() ? wanted : (i64)workers_.size();
  }

  void wake() {
    round_.fetch_add(1);
    if (sleepers_.load() == 0) return;
    std::lock_guard lock(sleep_);
    awake_.notify_all();
  }

  void take_tasks(int worker) {
    for (i64 i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < tasks_;) task_(*call_, i, worker, state_);
  }

  unsigned wait_for_round(unsigned seen) {
    for (int spins = 0; spins < spins_before_sleep; spins++) {
      const unsigned round = round_.load();
      if (round != seen) return round;
      relax();
    }
    std::unique_lock lock(sleep_);
    sleepers_.fetch_add(1);
    awake_.wait(lock, [&] { return round_.load() != seen; });
    sleepers_.fetch_sub(1);
    return round_.load();
  }

  void work(int worker) {
    unsigned seen = 0;
    while (!stopping_.load()) {
      inside_.fetch_add(1);
      if (open_.load() && worker <= helpers_) take_tasks(worker);
      inside_.fetch_sub(1);
      seen = wait_for_round(seen);
    }
  }
};

// Never destroyed: the process may end while workers sleep.
pool& shared_pool() {
  static pool& instance = *new pool;
  return instance;
}

void run_parallel(const call& c, i64 tasks, task_function task, void* state) {
  if (c.threads > 1 && tasks > 1) return shared_pool().run(c, tasks, task, state);
  for (i64 i = 0; i < tasks; i++) task(c, i, 0, state);
}

void* worker_scratch(const call&, int worker, i64 bytes) {
  return worker == 0 ? own_arena.at_least(bytes) : shared_pool().arenas[worker].at_least(bytes);
}

std::mutex users_mutex;
int users = 0;

}  // namespace

pool_turn::pool_turn(int threads) : holds_(threads > 1 && shared_pool().turn.try_lock()), threads_(holds_ ? threads : 1) {}

pool_turn::~pool_turn() {
  if (holds_) shared_pool().turn.unlock();
}

void pool_turn::serve(call& c) const {
  c.threads = threads_;
  c.parallel = run_parallel;
  c.scratch = worker_scratch;
}

void enter_pool() {
  std::lock_guard lock(users_mutex);
  users++;
}

void leave_pool() {
  std::lock_guard lock(users_mutex);
  if (--users > 0) return;
  std::lock_guard turn(shared_pool().turn);
  shared_pool().stop();
}

}  // namespace keyhole
