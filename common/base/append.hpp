// Numbers and bytes as text at the end of a string, without a format string to read: traces write them with every
// operation.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <string>

namespace pnfs {

// Lower case, two digits a byte.
inline void append_hex(std::string& out, std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const std::byte b : bytes) {
    out[at++] = kDigits[static_cast<unsigned>(b) >> 4];
    out[at++] = kDigits[static_cast<unsigned>(b) & 15];
  }
}

inline void append_number(std::string& out, auto number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

}  // namespace pnfs
