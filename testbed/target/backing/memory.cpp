#include <algorithm>
#include <map>
#include <vector>

#include "testbed/target/backing/backing.hpp"

namespace pnfs::target {

namespace {

class Memory final : public Backing {
 public:
  explicit Memory(uint64_t size) : size_(size) {}
  uint64_t size_bytes() const override { return size_; }

  Result<void> read(uint64_t offset, Bytes into) override {
    for_each_piece(offset, into.size(), [&](uint64_t chunk, size_t within, size_t done, size_t count) {
      const auto it = chunks_.find(chunk);
      if (it == chunks_.end()) {
        std::memset(&into[done], 0, count);
      } else {
        std::memcpy(&into[done], &it->second[within], count);
      }
    });
    return {};
  }

  Result<void> write(uint64_t offset, ConstBytes from) override {
    for_each_piece(offset, from.size(), [&](uint64_t chunk, size_t within, size_t done, size_t count) {
      auto& bytes = chunks_[chunk];
      if (bytes.empty()) bytes.resize(kChunkBytes);
      std::memcpy(&bytes[within], &from[done], count);
    });
    return {};
  }

  Result<void> flush() override { return {}; }

  Result<void> zero(uint64_t offset, uint64_t length, bool) override {
    for_each_piece(offset, length, [&](uint64_t chunk, size_t within, size_t, size_t count) {
      const auto it = chunks_.find(chunk);
      if (it == chunks_.end()) return;
      if (count == kChunkBytes) {
        chunks_.erase(it);
      } else {
        std::memset(&it->second[within], 0, count);
      }
    });
    return {};
  }

  Run run_at(uint64_t offset) override {
    const bool mapped = chunks_.contains(offset / kChunkBytes);
    uint64_t end = offset / kChunkBytes * kChunkBytes;
    auto it = chunks_.lower_bound(offset / kChunkBytes);
    if (!mapped) {
      end = it == chunks_.end() ? size_ : it->first * kChunkBytes;
    } else {
      for (; it != chunks_.end() && it->first * kChunkBytes == end; ++it) end += kChunkBytes;
    }
    return {std::min(end, size_) - offset, mapped};
  }

 private:
  static constexpr uint64_t kChunkBytes = 4096;

  template <class Visit>
  void for_each_piece(uint64_t offset, uint64_t length, Visit visit) {
    for (uint64_t done = 0; done < length;) {
      const uint64_t at = offset + done;
      const size_t within = at % kChunkBytes;
      const size_t count = std::min<uint64_t>(kChunkBytes - within, length - done);
      visit(at / kChunkBytes, within, done, count);
      done += count;
    }
  }

  uint64_t size_;
  std::map<uint64_t, std::vector<uint8_t>> chunks_;
};

}  // namespace

std::unique_ptr<Backing> make_memory(uint64_t size_bytes) {
  return std::make_unique<Memory>(size_bytes);
}

}  // namespace pnfs::target
