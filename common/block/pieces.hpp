// Scatter-gather lists of a BlockStore.
#pragma once

#include <cstdint>
#include <span>

namespace pnfs::block {

template <typename PieceType>
uint64_t total(std::span<const PieceType> pieces) {
  uint64_t bytes = 0;
  for (const auto& piece : pieces) bytes += piece.size();
  return bytes;
}

}  // namespace pnfs::block
