#include "common/volume/log_frames.hpp"

#include <bit>
#include <cstring>

namespace pnfs::volume {

namespace {

uint32_t big32(std::span<const std::byte> bytes, size_t at) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

constexpr uint32_t kLogMagic = 0x377f0682;  // the lowest bit says in which order the sums take their words

}  // namespace

void LogCursor::add(std::span<const std::byte> bytes, uint32_t (&sums)[2]) const {
  const bool swap = big_endian_ == (std::endian::native == std::endian::little);
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    uint32_t words[2];
    std::memcpy(words, bytes.data() + at, sizeof words);
    if (swap)
      for (uint32_t& word : words) word = __builtin_bswap32(word);
    sums[0] += words[0] + sums[1];
    sums[1] += words[1] + sums[0];
  }
}

std::optional<LogCursor> LogCursor::begin(std::span<const std::byte> header, const Salts& retired) {
  if (header.size() < kLogHeaderBytes || (big32(header, 0) & ~1u) != kLogMagic || big32(header, 8) != kPageBytes)
    return std::nullopt;
  LogCursor cursor;
  cursor.big_endian_ = (big32(header, 0) & 1) != 0;
  std::memcpy(cursor.salts_.data(), header.data() + 16, cursor.salts_.size());
  if (cursor.salts_ == retired) return std::nullopt;
  cursor.add(header.first(24), cursor.position_.sums);
  if (cursor.position_.sums[0] != big32(header, 24) || cursor.position_.sums[1] != big32(header, 28))
    return std::nullopt;
  return cursor;
}

std::optional<LogCursor::Checked> LogCursor::check(std::span<const std::byte> frame, Position& at) const {
  if (std::memcmp(frame.data() + 8, salts_.data(), salts_.size()) != 0) return std::nullopt;
  uint32_t sums[2] = {at.sums[0], at.sums[1]};
  add(frame.first(8), sums);
  add(frame.subspan(kFrameHeaderBytes), sums);
  if (sums[0] != big32(frame, 16) || sums[1] != big32(frame, 20)) return std::nullopt;
  at.sums[0] = sums[0];
  at.sums[1] = sums[1];
  return Checked{big32(frame, 0), big32(frame, 4)};
}

}  // namespace pnfs::volume
