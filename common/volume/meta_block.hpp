// Private to this folder: little-endian fields in a checksummed metadata block.
#pragma once

#include <isa-l/crc.h>

#include <array>
#include <cstring>
#include <span>
#include <string>

#include "common/volume/format.hpp"

namespace pnfs::volume {

inline uint32_t crc32c(std::span<const std::byte> bytes) {
  // The library's signature lacks const; it only reads.
  auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
  return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~0u);
}

class BlockWriter {
 public:
  explicit BlockWriter(const char (&magic)[8]) { bytes(magic, 8); }
  void u8(uint8_t v) { number(v); }
  void u32(uint32_t v) { number(v); }
  void u64(uint64_t v) { number(v); }
  void bytes(const void* data, size_t size) {
    if (size > kMetaBlockBytes - 4 - at_) std::abort();  // the payload is fixed at compile time
    std::memcpy(block_.data() + at_, data, size);
    at_ += size;
  }
  // One length byte, then the text, cut to 255 bytes.
  void text(const std::string& v) {
    const auto size = static_cast<uint8_t>(std::min<size_t>(v.size(), 255));
    u8(size);
    bytes(v.data(), size);
  }
  std::array<std::byte, kMetaBlockBytes> finish() {
    const uint32_t crc = crc32c(std::span(block_).first(kMetaBlockBytes - 4));
    at_ = kMetaBlockBytes - 4;
    for (int i = 0; i < 4; ++i) block_[at_ + i] = static_cast<std::byte>(crc >> (8 * i));
    return block_;
  }

 private:
  template <class T>
  void number(T v) {
    std::byte raw[sizeof(T)];
    for (size_t i = 0; i < sizeof(T); ++i) raw[i] = static_cast<std::byte>(v >> (8 * i));
    bytes(raw, sizeof(T));
  }
  std::array<std::byte, kMetaBlockBytes> block_{};
  size_t at_ = 0;
};

// Reading beyond the payload gives zeros; the checksum has been verified before.
class BlockReader {
 public:
  explicit BlockReader(std::span<const std::byte> block) : block_(block.first(kMetaBlockBytes - 4)), at_(8) {}
  static bool has_magic(std::span<const std::byte> block, const char (&magic)[8]) {
    return block.size() >= kMetaBlockBytes && std::memcmp(block.data(), magic, 8) == 0;
  }
  static bool checksum_ok(std::span<const std::byte> block) {
    uint32_t stored = 0;
    for (int i = 0; i < 4; ++i) stored |= static_cast<uint32_t>(block[kMetaBlockBytes - 4 + i]) << (8 * i);
    return stored == crc32c(block.first(kMetaBlockBytes - 4));
  }
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  void bytes(void* to, size_t size) {
    std::memset(to, 0, size);
    const size_t n = std::min(size, block_.size() - at_);
    std::memcpy(to, block_.data() + at_, n);
    at_ += n;
  }
  std::string text() {
    std::string v(u8(), '\0');
    bytes(v.data(), v.size());
    return v;
  }

 private:
  uint64_t number(size_t size) {
    uint64_t v = 0;
    for (size_t i = 0; i < size && at_ < block_.size(); ++i) v |= static_cast<uint64_t>(block_[at_++]) << (8 * i);
    return v;
  }
  std::span<const std::byte> block_;
  size_t at_;
};

}  // namespace pnfs::volume
