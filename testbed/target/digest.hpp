// CRC32C over header or data segments (RFC 7143 12.1, Appendix B.4), in hardware where there is some.
#pragma once

#include "testbed/target/bytes.hpp"

namespace pnfs::target {

// Feed pieces in order: crc = crc32c_begin(); crc = crc32c_add(crc, piece)...; the wire bytes come from put_crc32c.
inline uint32_t crc32c_begin() {
  return 0xffffffff;
}
uint32_t crc32c_add(uint32_t crc, ConstBytes bytes);
// The digest goes out least significant byte first, unlike every other field.
void put_crc32c(uint8_t* to, uint32_t crc);
bool crc32c_matches(const uint8_t* wire, uint32_t crc);

}  // namespace pnfs::target
