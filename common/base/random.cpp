#include "common/base/random.hpp"

#include <sys/random.h>

#include <bit>
#include <cstring>
#include <stdexcept>

namespace pnfs {

uint64_t Random::below(uint64_t bound) {
  // Rejection keeps it uniform: values under 2^64 mod bound are drawn again.
  const uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const uint64_t value = next();
    if (value >= threshold) return value % bound;
  }
}

void Random::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const uint64_t value = next();
    const size_t count = out.size() < sizeof value ? out.size() : sizeof value;
    std::memcpy(out.data(), &value, count);
    out = out.subspan(count);
  }
}

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t SeededRandom::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t SystemRandom::next() {
  uint64_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) throw std::runtime_error("getrandom(2) gave no bytes");
  return value;
}

}  // namespace pnfs
