// The Random seam: ids, verifiers, jitter and simulated failures all come from one passed-in source, so that a run can
// be repeated from its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pnfs {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;

  // Uniform in [0, bound); bound must not be 0.
  uint64_t below(uint64_t bound);
  // True with probability numerator / denominator.
  bool chance(uint32_t numerator, uint32_t denominator) { return below(denominator) < numerator; }
  void fill(std::span<std::byte> out);
};

// xoshiro256**, seeded through splitmix64. The same seed gives the same sequence on every machine.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  uint64_t next() override;

 private:
  uint64_t state_[4];
};

// getrandom(2).
class SystemRandom final : public Random {
 public:
  uint64_t next() override;
};

}  // namespace pnfs
