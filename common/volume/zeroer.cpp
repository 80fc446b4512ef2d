#include "common/volume/zeroer.hpp"

namespace pnfs::volume {

namespace {
constexpr uint64_t kStepBytes = 8 << 20;          // written zeros: short steps, so that other I/O gets through
constexpr uint64_t kUnmapStepBytes = 1ull << 30;  // UNMAP moves no data
constexpr Duration kPoll = std::chrono::milliseconds(250);
constexpr Duration kZeroerRetryPause = std::chrono::seconds(1);
}  // namespace

io::Task<void> Zeroer::run() {
  const bool cheap = store_.geometry().unmap_zeroes;
  while (!catalog_.failure()) {
    const bool wanted = cheap || extents_.wants_zeroing() || extents_.zeroed_bytes() < pool_bytes_;
    const std::optional<ByteRange> range =
        wanted ? extents_.take_dirty(cheap ? kUnmapStepBytes : kStepBytes) : std::nullopt;
    if (!range) {
      // Freed space becomes dirty space when its freeing is durable: nothing wakes us for that, so look now and then.
      co_await timers_.sleep(kPoll);
      continue;
    }
    // Whatever ends this coroutine, the range must not be lost to the free lists.
    struct GiveBack {
      ExtentsImpl* extents;
      ByteRange range;
      ~GiveBack() {
        if (extents != nullptr) extents->give_back(range);
      }
    };
    GiveBack give_back{&extents_, *range};
    Result<void> ok = co_await zero_durably(*range);
    while (ok && !catalog_.failure()) {
      ok = extents_.finish_zeroing(*range);
      if (ok) {
        give_back.extents = nullptr;
        break;
      }
      if (ok.error().code != Errc::busy) break;
      ok = Result<void>();
      co_await timers_.sleep(kPoll);  // the log is full; a checkpoint is under way
    }
    if (!ok) {
      spdlog::warn("volume: zeroing free space: {}", ok.error().reason);
      co_await timers_.sleep(kZeroerRetryPause);
    }
  }
}

io::Task<Result<void>> Zeroer::zero_durably(ByteRange range) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const uint64_t epoch = store_.epoch();
    if (auto ok = co_await store_.zero(range.offset, range.length); !ok) co_return ok.error();
    if (auto ok = co_await store_.flush(); !ok) co_return ok.error();
    if (store_.epoch() == epoch) co_return Result<void>();
  }
  co_return error(Errc::io, "the device restarted during each of three attempts");
}

}  // namespace pnfs::volume
