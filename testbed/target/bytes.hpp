// Big-endian fields, as iSCSI and SCSI carry all of theirs.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace pnfs::target {

using Bytes = std::span<uint8_t>;
using ConstBytes = std::span<const uint8_t>;

inline uint16_t get16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] << 8 | p[1]);
}
inline uint32_t get24(const uint8_t* p) {
  return uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2];
}
inline uint32_t get32(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}
inline uint64_t get64(const uint8_t* p) {
  return uint64_t{get32(p)} << 32 | get32(p + 4);
}

inline void put16(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void put24(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 16);
  put16(p + 1, v);
}
inline void put32(uint8_t* p, uint32_t v) {
  put16(p, v >> 16);
  put16(p + 2, v);
}
inline void put64(uint8_t* p, uint64_t v) {
  put32(p, static_cast<uint32_t>(v >> 32));
  put32(p + 4, static_cast<uint32_t>(v));
}

// ASCII, left-aligned, padded with spaces: SPC-4 4.4.1.
inline void put_text(uint8_t* p, size_t width, std::string_view text) {
  const size_t n = text.size() < width ? text.size() : width;
  std::memcpy(p, text.data(), n);
  std::memset(p + n, ' ', width - n);
}

inline ConstBytes as_octets(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace pnfs::target
