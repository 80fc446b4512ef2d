// Reads XDR (RFC 4506) from bytes that nobody can be trusted to have written. Every read is checked against what is
// left; the first failure sticks, and says at which offset what was wrong.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "common/base/arena.hpp"

namespace pnfs::xdr {

class Decoder {
 public:
  // Views handed out point into `bytes`; arrays are made in `arena`. Both must outlive what was decoded.
  Decoder(std::span<const std::byte> bytes, Arena& arena)
      : begin_(bytes.data()), next_(bytes.data()), end_(bytes.data() + bytes.size()), arena_(&arena) {}

  bool ok() const { return problem_.empty(); }
  std::string_view problem() const { return problem_; }
  size_t offset() const { return static_cast<size_t>(next_ - begin_); }
  size_t left() const { return static_cast<size_t>(end_ - next_); }
  std::span<const std::byte> rest() const { return {next_, left()}; }
  Arena& arena() { return *arena_; }

  // `why` must be a string literal. Returns false, for `return decoder.fail("...")`.
  bool fail(std::string_view why) {
    if (ok()) problem_ = why;
    return false;
  }

  bool u32(uint32_t& out) {
    if (left() < 4) return fail("message ends inside a 32-bit word");
    std::memcpy(&out, next_, 4);
    out = __builtin_bswap32(out);
    next_ += 4;
    return true;
  }

  bool u64(uint64_t& out) {
    if (left() < 8) return fail("message ends inside a 64-bit word");
    std::memcpy(&out, next_, 8);
    out = __builtin_bswap64(out);
    next_ += 8;
    return true;
  }

  // `length` bytes and their padding, which must be zeros (RFC 4506 4.10).
  bool fixed(size_t length, std::span<const std::byte>& out) {
    if (left() < length) return fail("length is beyond the end of the message");
    const size_t pad = (4 - length % 4) % 4;
    if (left() - length < pad) return fail("message ends inside padding");
    out = {next_, length};
    for (size_t i = 0; i < pad; ++i)
      if (next_[length + i] != std::byte{0}) return fail("padding is not zero");
    next_ += length + pad;
    return true;
  }

  bool variable(uint32_t max, std::span<const std::byte>& out) {
    uint32_t length = 0;
    if (!u32(length)) return false;
    if (length > max) return fail("length is over the protocol's limit");
    return fixed(length, out);
  }

  // The count of an array whose elements take at least `element_bytes` each on the wire.
  bool count(uint32_t max, size_t element_bytes, uint32_t& out) {
    if (!u32(out)) return false;
    if (out > max) return fail("array is over the protocol's limit");
    if (out > left() / element_bytes) return fail("array is longer than the message");
    return true;
  }

 private:
  const std::byte* begin_;
  const std::byte* next_;
  const std::byte* end_;
  Arena* arena_;
  std::string_view problem_;
};

}  // namespace pnfs::xdr
