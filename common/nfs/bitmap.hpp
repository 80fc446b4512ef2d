// bitmap4 (RFC 8881 3.3.7): a counted array of 32-bit words. Kept inline, because nearly every operation carries one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "common/nfs/numbers.hpp"
#include "common/xdr/decoder.hpp"
#include "common/xdr/descriptor.hpp"
#include "common/xdr/encoder.hpp"

namespace pnfs::nfs {

// The protocol sets no limit on the number of words and a later minor version may use more than we know. Words beyond
// kWords are read and dropped: for a request to return attributes unknown bits mean nothing, and for a request to set
// them beyond() says that NFS4ERR_ATTRNOTSUPP is due.
class bitmap4 {
 public:
  static constexpr uint32_t kWords = 8;
  static constexpr uint32_t kBits = kWords * 32;

  constexpr bitmap4() = default;
  constexpr bitmap4(std::initializer_list<uint32_t> bits) {
    for (uint32_t bit : bits) set(bit);
  }

  constexpr bool has(uint32_t bit) const { return bit < kBits && (words_[bit / 32] >> (bit % 32) & 1) != 0; }
  // Bits past kBits are not kept.
  constexpr void set(uint32_t bit) {
    if (bit >= kBits) return;
    words_[bit / 32] |= uint32_t{1} << (bit % 32);
    if (count_ <= bit / 32) count_ = bit / 32 + 1;
  }
  constexpr void clear(uint32_t bit) {
    if (bit < kBits) words_[bit / 32] &= ~(uint32_t{1} << (bit % 32));
  }
  constexpr void clear() { *this = bitmap4{}; }
  // No bit is set; a non-zero word beyond the capacity counts as set.
  constexpr bool none() const {
    for (uint32_t word : words_)
      if (word != 0) return false;
    return !beyond_;
  }
  constexpr uint32_t bit_count() const {
    uint32_t sum = 0;
    for (uint32_t word : words_) sum += static_cast<uint32_t>(std::popcount(word));
    return sum;
  }
  constexpr bool beyond() const { return beyond_; }
  // The words as they go on the wire, trailing zero words included if the peer sent them.
  constexpr std::span<const uint32_t> words() const { return {words_.data(), count_}; }

  // f(bit) for each set bit, ascending.
  template <class F>
  constexpr void each(F&& f) const {
    for (uint32_t i = 0; i < kWords; ++i)
      for (uint32_t word = words_[i]; word != 0; word &= word - 1)
        f(i * 32 + static_cast<uint32_t>(std::countr_zero(word)));
  }

  constexpr bitmap4 operator&(const bitmap4& other) const {
    bitmap4 both;
    each([&](uint32_t bit) {
      if (other.has(bit)) both.set(bit);
    });
    return both;
  }
  constexpr bitmap4 operator|(const bitmap4& other) const {
    bitmap4 either = *this;
    other.each([&](uint32_t bit) { either.set(bit); });
    return either;
  }
  // Every bit of this is in `other` too.
  constexpr bool within(const bitmap4& other) const {
    for (uint32_t i = 0; i < kWords; ++i)
      if ((words_[i] & ~other.words_[i]) != 0) return false;
    return !beyond_;
  }
  // The same bits; trailing zero words make no difference.
  constexpr bool operator==(const bitmap4& other) const { return words_ == other.words_ && beyond_ == other.beyond_; }

  void encode_to(xdr::Encoder& e) const {
    e.u32(count_);
    for (uint32_t i = 0; i < count_; ++i) e.u32(words_[i]);
  }
  bool decode_from(xdr::Decoder& d) {
    *this = bitmap4{};
    uint32_t count = 0;
    if (!d.count(xdr::kNoLimit, 4, count)) return false;
    for (uint32_t i = 0; i < count; ++i) {
      uint32_t word = 0;
      if (!d.u32(word)) return false;
      if (i < kWords) {
        words_[i] = word;
      } else if (word != 0) {
        beyond_ = true;
      }
    }
    count_ = count < kWords ? count : kWords;
    return true;
  }

  static constexpr std::string_view xdr_name() { return "bitmap4"; }
  static constexpr void describe(xdr::TypeInfo& info) {
    info.names = attrnum4_enumerators;
    info.items = &items_of;
    info.resize = &resize;
  }

 protected:
  static xdr::Sequence items_of(const void* value) {
    const auto& b = *static_cast<const bitmap4*>(value);
    return {const_cast<uint32_t*>(b.words_.data()), b.count_};
  }
  static bool resize(void* value, size_t count, Arena&) {
    if (count > kWords) return false;
    auto& b = *static_cast<bitmap4*>(value);
    for (size_t i = count; i < kWords; ++i) b.words_[i] = 0;
    b.count_ = static_cast<uint32_t>(count);
    return true;
  }

 private:
  std::array<uint32_t, kWords> words_{};
  uint32_t count_ = 0;
  bool beyond_ = false;
};

// The same on the wire and in use; only the names that the trace prints for the bits differ. `names` is an array of
// Enumerator, or nullptr for bits that are printed as numbers.
template <const auto& names>
struct NamedBitmap : bitmap4 {
  using bitmap4::bitmap4;
  constexpr NamedBitmap() = default;
  constexpr NamedBitmap(const bitmap4& bits) : bitmap4(bits) {}
  static constexpr void describe(xdr::TypeInfo& info) {
    bitmap4::describe(info);
    info.names = names;
  }
};
inline constexpr std::span<const xdr::Enumerator> kNoNames{};
using plain_bitmap4 = NamedBitmap<kNoNames>;
using op_bitmap4 = NamedBitmap<nfs_opnum4_enumerators>;  // EXCHANGE_ID's spo_must_enforce
using notify_bitmap4 = NamedBitmap<notify_type4_enumerators>;
using notify_deviceid_bitmap4 = NamedBitmap<notify_deviceid_type4_enumerators>;

}  // namespace pnfs::nfs
