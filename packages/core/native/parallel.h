#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace nesgd {

constexpr int kSpins = 2000;

/** Asks again and again, for some tens of microseconds at most: the next operation often comes sooner than a thread wakes. */
template <typename Holds>
inline void SpinUntil(const Holds& holds) {
  for (int i = 0; i < kSpins && !holds(); i++) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

/**
 * Shares the chunks of one operation among threads, whoever is free taking the next. What a chunk computes does not
 * depend on who does it, so results are the same for any number of threads.
 */
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; i++) helpers_.emplace_back([this] { Help(); }).detach();
  }

  /**
   * Calls `work(chunk)` once for each of 0 .. chunks-1 and returns when all are done. One caller at a time.
   * @throws std::bad_alloc where one of them did, when none is under way any more.
   */
  void Run(int64_t chunks, const std::function<void(int64_t)>& work) {
    if (helpers_.empty() || chunks == 1) {
      for (int64_t chunk = 0; chunk < chunks; chunk++) work(chunk);
      return;
    }
    std::lock_guard<std::mutex> one_caller(callers_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      chunks_ = chunks;
      next_ = 0;
      round_++;
    }
    wake_.notify_all();
    TakeChunks(work, chunks);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = nullptr;
    }
    SpinUntil([this] { return busy_ == 0; });
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return busy_ == 0; });
    if (without_memory_.exchange(false)) throw std::bad_alloc();
  }

 private:
  void TakeChunks(const std::function<void(int64_t)>& work, int64_t chunks) {
    try {
      for (int64_t chunk; (chunk = next_.fetch_add(1)) < chunks;) work(chunk);
    } catch (const std::bad_alloc&) {
      without_memory_ = true;  // It would end the process if it left a helper, and the call if it left others at work.
    }
  }

  void Help() {
    uint64_t seen = 0;
    for (;;) {
      SpinUntil([&] { return round_ != seen; });
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return work_ != nullptr && round_ != seen; });
      seen = round_;
      const auto* work = work_;
      const int64_t chunks = chunks_;
      busy_++;
      lock.unlock();
      TakeChunks(*work, chunks);
      lock.lock();
      if (--busy_ == 0) idle_.notify_one();
    }
  }

  std::vector<std::thread> helpers_;
  std::mutex callers_, mutex_;
  std::condition_variable wake_, idle_;
  const std::function<void(int64_t)>* work_ = nullptr;
  int64_t chunks_ = 0;
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> round_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> without_memory_{false};
};

}  // namespace nesgd
