#include "testbed/target/digest.hpp"

#include <isa-l/crc.h>

namespace pnfs::target {

uint32_t crc32c_add(uint32_t crc, ConstBytes bytes) {
  return crc32_iscsi(const_cast<uint8_t*>(bytes.data()), static_cast<int>(bytes.size()), crc);
}

void put_crc32c(uint8_t* to, uint32_t crc) {
  const uint32_t value = ~crc;
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

bool crc32c_matches(const uint8_t* wire, uint32_t crc) {
  uint8_t expected[4];
  put_crc32c(expected, crc);
  return std::memcmp(wire, expected, 4) == 0;
}

}  // namespace pnfs::target
