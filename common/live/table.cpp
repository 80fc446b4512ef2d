#include "common/live/table.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/base/append.hpp"

namespace pnfs::live {

std::string printable(std::string_view bytes, size_t most) {
  std::string out;
  for (const unsigned char c : bytes.substr(0, most)) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      out += static_cast<char>(c);
    } else {
      out += fmt::format("\\x{:02x}", c);
    }
  }
  if (bytes.size() > most) out += "...";
  return out;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::string hex(uint64_t number) {
  return fmt::format("{:#x}", number);
}

double seconds(Duration time) {
  return std::round(std::chrono::duration<double, std::milli>(time).count()) / 1000;
}

}  // namespace pnfs::live
