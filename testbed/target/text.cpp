#include "testbed/target/text.hpp"

#include <charconv>

namespace pnfs::target {

Result<std::vector<KeyValue>> parse_text(std::string_view text) {
  std::vector<KeyValue> keys;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    const std::string_view entry = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (entry.empty()) continue;  // some initiators pad with zeros
    const size_t equals = entry.find('=');
    if (equals == entry.npos || equals == 0 || equals > 63)
      return error(Errc::protocol, "login text holds an entry that is not key=value (RFC 7143 6.1)");
    if (keys.size() == kMaxTextKeys) return error(Errc::protocol, "more than {} keys in one request", kMaxTextKeys);
    keys.push_back({entry.substr(0, equals), entry.substr(equals + 1)});
  }
  return keys;
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out += key;
  out += '=';
  out += value;
  out += '\0';
}

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

Result<std::vector<uint8_t>> parse_hex(std::string_view digits, size_t limit) {
  std::vector<uint8_t> out;
  if (digits.size() > 2 * limit) return error(Errc::protocol, "hexadecimal value longer than {} bytes", limit);
  // An odd number of digits has an implied leading zero.
  size_t high = digits.size() % 2;
  unsigned value = 0;
  for (const char c : digits) {
    const int digit = hex_digit(c);
    if (digit < 0) return error(Errc::protocol, "'{}' is not a hexadecimal digit", c);
    value = value << 4 | static_cast<unsigned>(digit);
    if (high++ % 2) {
      out.push_back(static_cast<uint8_t>(value));
      value = 0;
    }
  }
  return out;
}

Result<std::vector<uint8_t>> parse_base64(std::string_view digits, size_t limit) {
  std::vector<uint8_t> out;
  while (digits.ends_with('=')) digits.remove_suffix(1);
  if (digits.size() > 2 * limit) return error(Errc::protocol, "base64 value longer than {} bytes", limit);
  uint32_t value = 0;
  int bits = 0;
  for (const char c : digits) {
    const int digit = base64_digit(c);
    if (digit < 0) return error(Errc::protocol, "'{}' is not a base64 digit", c);
    value = value << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<uint8_t>(value >> bits));
      value &= (1u << bits) - 1;
    }
  }
  if (out.size() > limit) return error(Errc::protocol, "base64 value longer than {} bytes", limit);
  return out;
}

}  // namespace

Result<std::vector<uint8_t>> parse_binary(std::string_view value, size_t limit) {
  if (value.starts_with("0x") || value.starts_with("0X")) return parse_hex(value.substr(2), limit);
  if (value.starts_with("0b") || value.starts_with("0B")) return parse_base64(value.substr(2), limit);
  return error(Errc::protocol, "a binary value must start with 0x or 0b");
}

std::string format_binary(ConstBytes bytes) {
  std::string out = "0x";
  for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
  return out;
}

Result<uint32_t> parse_number(std::string_view value, uint32_t low, uint32_t high) {
  int base = 10;
  std::string_view digits = value;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  }
  uint32_t number = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (ec != std::errc{} || end != digits.data() + digits.size() || number < low || number > high)
    return error(Errc::invalid, "'{}' is not a number from {} to {}", value, low, high);
  return number;
}

std::vector<std::string_view> split_list(std::string_view value) {
  std::vector<std::string_view> out;
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    if (comma > 0) out.push_back(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return out;
}

std::string normal_name(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace pnfs::target
