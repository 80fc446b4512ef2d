// Lengths and offsets on the volume come in units.
#pragma once

#include <cstdint>

namespace pnfs::volume {

constexpr uint64_t round_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace pnfs::volume
