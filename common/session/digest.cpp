#include "common/session/digest.hpp"

namespace pnfs::session {

namespace {

constexpr size_t kWholeBytes = 4096;
constexpr size_t kHeadBytes = 1024;
constexpr size_t kTailBytes = 256;
constexpr uint64_t kPrime = 0x9e3779b97f4a7c15ull;

uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * kPrime;
  return hash ^ (hash >> 29);
}

uint64_t mix_bytes(uint64_t hash, std::span<const std::byte> bytes) {
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    hash = mix(hash, word);
  }
  uint64_t word = 0;
  if (at < bytes.size()) std::memcpy(&word, bytes.data() + at, bytes.size() - at);
  return mix(hash, word);
}

}  // namespace

uint64_t request_digest(std::span<const std::byte> args, const Principal& principal) {
  uint64_t hash = mix(kPrime, args.size());
  hash = mix(hash, uint64_t{principal.flavor} << 32 | principal.uid);
  hash = mix(hash, principal.gid);
  if (args.size() <= kWholeBytes) return mix_bytes(hash, args);
  return mix_bytes(mix_bytes(hash, args.first(kHeadBytes)), args.last(kTailBytes));
}

}  // namespace pnfs::session
