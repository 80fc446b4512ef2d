#include <algorithm>
#include <deque>
#include <map>
#include <vector>

#include "testbed/target/backing/backing.hpp"

namespace pnfs::target {

namespace {

// Dirty data are kept by chunks of 4096 bytes with one bit for each 512, in order of offset so that a flush writes
// long runs. `age_` remembers the order in which chunks became dirty. Ranges that were zeroed or deallocated wait in
// `zeroed_` (they lie below the dirty chunks), because they die with the process too.
class Volatile final : public VolatileCache {
 public:
  Volatile(std::unique_ptr<Backing> below, uint64_t limit) : below_(std::move(below)), limit_chunks_(limit / kChunk) {}

  uint64_t size_bytes() const override { return below_->size_bytes(); }
  uint64_t dirty_bytes() const override { return dirty_.size() * kChunk; }

  void lose() override {
    dirty_.clear();
    age_.clear();
    zeroed_.clear();
  }

  Result<void> read(uint64_t offset, Bytes into) override {
    if (auto done = below_->read(offset, into); !done || (dirty_.empty() && zeroed_.empty())) return done;
    const uint64_t end = offset + into.size();
    for (auto it = first_zeroed(offset); it != zeroed_.end() && it->first < end; ++it) {
      const uint64_t from = std::max(it->first, offset);
      std::memset(&into[from - offset], 0, std::min(it->second.end, end) - from);
    }
    for (auto it = dirty_.lower_bound(offset / kChunk); it != dirty_.end() && it->first * kChunk < end; ++it) {
      for (size_t sector = 0; sector < kSectors; ++sector) {
        const uint64_t at = it->first * kChunk + sector * kSector;
        if (!(it->second.mask >> sector & 1) || at < offset || at >= end) continue;
        std::memcpy(&into[at - offset], &it->second.bytes[sector * kSector], kSector);
      }
    }
    return {};
  }

  Result<void> write(uint64_t offset, ConstBytes from) override {
    for (size_t done = 0; done < from.size();) {
      const uint64_t at = offset + done;
      const size_t within = at % kChunk;
      const size_t count = std::min(kChunk - within, from.size() - done);
      Chunk& chunk = dirty_[at / kChunk];
      if (chunk.mask == 0) {
        chunk.bytes.resize(kChunk);
        age_.push_back(at / kChunk);
      }
      std::memcpy(&chunk.bytes[within], &from[done], count);
      for (size_t s = within / kSector; s < (within + count) / kSector; ++s)
        chunk.mask |= static_cast<uint8_t>(1u << s);
      done += count;
    }
    return trim();
  }

  Result<void> write_through(uint64_t offset, ConstBytes from) override {
    if (auto done = settle_zeros(); !done) return done;
    forget(offset, from.size());
    return below_->write_through(offset, from);
  }

  Result<void> flush() override {
    if (auto done = settle_zeros(); !done) return done;
    std::vector<uint8_t> run;
    uint64_t run_at = 0;
    const auto emit = [&]() -> Result<void> {
      if (run.empty()) return {};
      auto done = below_->write(run_at, run);
      run.clear();
      return done;
    };
    for (const auto& [index, chunk] : dirty_) {
      for (size_t sector = 0; sector < kSectors; ++sector) {
        if (!(chunk.mask >> sector & 1)) continue;
        const uint64_t at = index * kChunk + sector * kSector;
        if (run.empty() || run_at + run.size() != at || run.size() >= kRunLimit) {
          if (auto done = emit(); !done) return done;
          run_at = at;
        }
        const auto* from = &chunk.bytes[sector * kSector];
        run.insert(run.end(), from, from + kSector);
      }
    }
    if (auto done = emit(); !done) return done;
    lose();
    return below_->flush();
  }

  Result<void> zero(uint64_t offset, uint64_t length, bool deallocate) override {
    forget(offset, length);
    const uint64_t end = offset + length;
    for (auto it = first_zeroed(offset); it != zeroed_.end() && it->first < end;) {
      const uint64_t old_begin = it->first;
      const Zeroed old = it->second;
      it = zeroed_.erase(it);
      if (old_begin < offset) zeroed_[old_begin] = {offset, old.deallocate};
      if (old.end > end) zeroed_[end] = {old.end, old.deallocate};
    }
    zeroed_[offset] = {end, deallocate};
    return zeroed_.size() > kMaxZeroed ? settle_zeros() : Result<void>{};
  }

  Run run_at(uint64_t offset) override {
    const auto chunk = dirty_.lower_bound(offset / kChunk);
    if (chunk != dirty_.end() && chunk->first == offset / kChunk) return {(chunk->first + 1) * kChunk - offset, true};
    Run run;
    const auto zeroed = first_zeroed(offset);
    if (zeroed != zeroed_.end() && zeroed->first <= offset) {
      run = {zeroed->second.end - offset, !zeroed->second.deallocate};
    } else {
      run = below_->run_at(offset);
      if (zeroed != zeroed_.end()) run.length = std::min(run.length, zeroed->first - offset);
    }
    if (chunk != dirty_.end()) run.length = std::min(run.length, chunk->first * kChunk - offset);
    return run;
  }

 private:
  static constexpr size_t kChunk = 4096;
  static constexpr size_t kSector = 512;
  static constexpr size_t kSectors = kChunk / kSector;
  static constexpr size_t kRunLimit = 1u << 20;

  struct Chunk {
    uint8_t mask = 0;
    std::vector<uint8_t> bytes;
  };

  struct Zeroed {
    uint64_t end = 0;
    bool deallocate = false;
  };
  static constexpr size_t kMaxZeroed = 4096;

  // The first zeroed range that ends behind `offset`.
  std::map<uint64_t, Zeroed>::iterator first_zeroed(uint64_t offset) {
    auto it = zeroed_.upper_bound(offset);
    if (it != zeroed_.begin() && std::prev(it)->second.end > offset) --it;
    return it;
  }

  // Before anything is written below: a zero that waits must not wipe what is newer.
  Result<void> settle_zeros() {
    for (const auto& [begin, range] : zeroed_) {
      if (auto done = below_->zero(begin, range.end - begin, range.deallocate); !done) return done;
    }
    zeroed_.clear();
    return {};
  }

  void forget(uint64_t offset, uint64_t length) {
    const uint64_t end = offset + length;
    for (auto it = dirty_.lower_bound(offset / kChunk); it != dirty_.end() && it->first * kChunk < end;) {
      for (size_t sector = 0; sector < kSectors; ++sector) {
        const uint64_t at = it->first * kChunk + sector * kSector;
        if (at >= offset && at < end) it->second.mask &= static_cast<uint8_t>(~(1u << sector));
      }
      it = it->second.mask == 0 ? dirty_.erase(it) : std::next(it);
    }
  }

  Result<void> trim() {
    if (dirty_.size() > limit_chunks_) {
      if (auto done = settle_zeros(); !done) return done;
    }
    while (dirty_.size() > limit_chunks_) {
      const uint64_t index = age_.front();
      age_.pop_front();
      const auto it = dirty_.find(index);
      if (it == dirty_.end()) continue;
      for (size_t sector = 0; sector < kSectors; ++sector) {
        if (!(it->second.mask >> sector & 1)) continue;
        auto done =
            below_->write(index * kChunk + sector * kSector, ConstBytes(&it->second.bytes[sector * kSector], kSector));
        if (!done) return done;
      }
      dirty_.erase(it);
    }
    if (age_.size() > 2 * limit_chunks_ + 1024) {
      std::erase_if(age_, [&](uint64_t index) { return !dirty_.contains(index); });
    }
    return {};
  }

  std::unique_ptr<Backing> below_;
  uint64_t limit_chunks_;
  std::map<uint64_t, Chunk> dirty_;
  std::map<uint64_t, Zeroed> zeroed_;
  std::deque<uint64_t> age_;
};

}  // namespace

std::unique_ptr<VolatileCache> make_volatile_cache(std::unique_ptr<Backing> below, uint64_t limit_bytes) {
  return std::make_unique<Volatile>(std::move(below), limit_bytes);
}

}  // namespace pnfs::target
