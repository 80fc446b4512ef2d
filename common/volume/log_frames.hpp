// Private to this folder: what a reader of a LUN in use needs to know of SQLite's write-ahead log (sqlite.org,
// "Database File Format", section 4): which frames are whole and committed. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/volume/format.hpp"

namespace pnfs::volume {

inline constexpr uint64_t kLogHeaderBytes = 32;

class LogCursor {
 public:
  using Salts = std::array<std::byte, 8>;

  // From the log's first bytes; nullopt when they are no header, or that of the log that was `retired`.
  static std::optional<LogCursor> begin(std::span<const std::byte> header, const Salts& retired);

  // `bytes` are the log's from end() on. Calls page(number, bytes) for each page of each whole transaction, in order,
  // and moves behind the last of them: what is not committed, or not all there yet, is looked at again next time.
  // True: the log may go on behind the bytes given.
  template <class Page>
  bool advance(std::span<const std::byte> bytes, Page&& page) {
    Position at = position_;
    std::vector<Frame> waiting;
    for (uint64_t done = 0; done + kFrameBytes <= bytes.size(); done += kFrameBytes) {
      const auto frame = check(bytes.subspan(done, kFrameBytes), at);
      if (!frame) return false;
      waiting.push_back({frame->page, bytes.subspan(done + kFrameHeaderBytes, kPageBytes)});
      at.end += kFrameBytes;
      if (frame->pages_after == 0) continue;
      for (const Frame& each : waiting) page(each.page, each.bytes);
      waiting.clear();
      pages_ = frame->pages_after;
      position_ = at;
    }
    return true;
  }

  uint64_t end() const { return position_.end; }
  uint32_t pages() const { return pages_; }  // of the database after the last commit; 0 before the first

 private:
  struct Position {
    uint64_t end = kLogHeaderBytes;
    uint32_t sums[2] = {};
  };
  struct Checked {
    uint32_t page = 0;
    uint32_t pages_after = 0;  // 0: no commit
  };
  struct Frame {
    uint32_t page;
    std::span<const std::byte> bytes;
  };
  // Continues the sums when the frame is the log's and whole.
  std::optional<Checked> check(std::span<const std::byte> frame, Position& at) const;
  void add(std::span<const std::byte> bytes, uint32_t (&sums)[2]) const;

  Position position_;
  Salts salts_{};
  bool big_endian_ = false;
  uint32_t pages_ = 0;
};

}  // namespace pnfs::volume
