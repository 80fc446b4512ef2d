#include "common/control/verifier.hpp"

#include <cstring>

namespace pnfs::control {

namespace {

// splitmix64's finaliser: neighbouring inputs give unrelated outputs, so a sum of epochs cannot hide a change.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

std::array<std::byte, 8> bytes_of(uint64_t value) {
  std::array<std::byte, 8> out;
  std::memcpy(out.data(), &value, 8);
  return out;
}

}  // namespace

std::array<std::byte, 8> volume_verifier(uint64_t write_epoch, uint64_t mds_instance) {
  return bytes_of(mix(mix(write_epoch) ^ mds_instance));
}

std::array<std::byte, 8> server_verifier(uint64_t write_epoch, uint64_t store_epoch, uint64_t instance) {
  return bytes_of(mix(mix(mix(write_epoch) ^ store_epoch) ^ instance));
}

}  // namespace pnfs::control
