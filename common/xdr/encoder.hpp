// Writes XDR into arena blocks. Large opaque data is referenced, not copied, so that file data travels from where it
// was read to the socket as a piece of its own.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/arena.hpp"

namespace pnfs::xdr {

class Encoder {
 public:
  // From this size on, opaque data is referenced in place.
  static constexpr size_t kReferenceBytes = 1024;

  explicit Encoder(Arena& arena) : arena_(&arena) {}
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  void u32(uint32_t value) {
    const uint32_t wire = __builtin_bswap32(value);
    std::memcpy(room(4), &wire, 4);
  }
  void u64(uint64_t value) {
    const uint64_t wire = __builtin_bswap64(value);
    std::memcpy(room(8), &wire, 8);
  }
  // Bytes and padding, no length. Referenced when large: `bytes` must then live until the message is sent.
  void fixed(std::span<const std::byte> bytes);
  void variable(std::span<const std::byte> bytes) {
    u32(static_cast<uint32_t>(bytes.size()));
    fixed(bytes);
  }
  // Already encoded XDR, always copied.
  void raw(std::span<const std::byte> bytes);

  // Bytes written so far.
  size_t size() const { return size_; }

  // A place to come back to: a word whose value is known later.
  using Slot = std::byte*;
  Slot reserve_u32() { return room(4); }
  static void patch(Slot slot, uint32_t value) {
    const uint32_t wire = __builtin_bswap32(value);
    std::memcpy(slot, &wire, 4);
  }

  // Forgets everything written after the mark (a result that turned out too large).
  struct Mark {
    size_t pieces;
    std::byte* next;
    std::byte* piece_begin;
    std::byte* end;
    size_t size;
  };
  Mark mark() const { return {pieces_.size(), next_, piece_begin_, end_, size_}; }
  void rollback(const Mark& mark);

  // The message so far, in order. Valid until the next write or the end of the arena.
  std::span<const std::span<const std::byte>> pieces();
  // The same without ending the piece, when there is but one and nothing large was referenced.
  std::optional<std::span<const std::byte>> only_piece() const {
    if (!pieces_.empty()) return std::nullopt;
    return std::span<const std::byte>(piece_begin_, next_);
  }
  // The same as one block (for digests, tests and replies that are kept).
  std::vector<std::byte> flatten();

  Arena& arena() { return *arena_; }

 private:
  static constexpr size_t kBlockBytes = 1024;

  std::byte* room(size_t bytes) {
    if (static_cast<size_t>(end_ - next_) < bytes) grow(bytes);
    std::byte* at = next_;
    next_ += bytes;
    size_ += bytes;
    return at;
  }
  void grow(size_t bytes);
  void close_piece();

  Arena* arena_;
  std::vector<std::span<const std::byte>> pieces_;  // closed pieces
  std::byte* piece_begin_ = nullptr;                // the open piece is [piece_begin_, next_)
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
  size_t size_ = 0;
};

}  // namespace pnfs::xdr
