#include "common/xdr/field_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>

#include "common/base/append.hpp"

namespace pnfs::xdr {

namespace {

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return upper(x) == upper(y); });
}

// nullptr: none. `ambiguous` is set when two equally good ones were found.
const Enumerator* find_enumerator(std::span<const Enumerator> names, std::string_view text, bool& ambiguous) {
  const Enumerator* best = nullptr;
  ambiguous = false;
  for (const Enumerator& e : names) {
    if (same(e.name, text)) {
      ambiguous = false;
      return &e;
    }
    const bool tail = e.name.size() > text.size() && !text.empty() && e.name[e.name.size() - text.size() - 1] == '_' &&
                      same(e.name.substr(e.name.size() - text.size()), text);
    if (!tail) continue;
    if (best == nullptr || e.name.size() < best->name.size()) {
      best = &e;
      ambiguous = false;
    } else if (e.name.size() == best->name.size()) {
      ambiguous = true;
    }
  }
  return best;
}

std::string some_names(std::span<const Enumerator> names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 8; ++i)
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ", ", names[i].name);
  if (names.size() > 8) out += ", ...";
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (upper(c) >= 'A' && upper(c) <= 'F') return upper(c) - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<uint64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return negative ? ~value + 1 : value;
}

Result<uint64_t> parse_scalar(const TypeInfo& type, std::string_view text) {
  if (const auto number = parse_number(text)) return *number;
  if (type.kind == Kind::boolean) {
    if (same(text, "true")) return uint64_t{1};
    if (same(text, "false")) return uint64_t{0};
    return error(Errc::invalid, "\"{}\" is neither true nor false", text);
  }
  if (type.kind == Kind::enumeration) {
    bool ambiguous = false;
    const Enumerator* found = find_enumerator(type.names, text, ambiguous);
    if (found != nullptr && !ambiguous) return static_cast<uint64_t>(found->value);
    return error(Errc::invalid, "\"{}\" {} {}: {}", text, ambiguous ? "is several names of" : "is no name of",
                 type.name, some_names(type.names));
  }
  return error(Errc::invalid, "\"{}\" is not a number", text);
}

Result<std::span<const std::byte>> parse_bytes(std::string_view text, Arena& arena) {
  if (!text.starts_with("hex:")) {
    const std::string_view kept = arena.copy(text);
    return std::as_bytes(std::span(kept.data(), kept.size()));
  }
  const std::string_view digits = text.substr(4);
  if (digits.size() % 2 != 0) return error(Errc::invalid, "\"{}\" has half a byte", text);
  auto bytes = arena.make_array<std::byte>(digits.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return error(Errc::invalid, "\"{}\" is not hexadecimal", text);
    bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return std::span<const std::byte>(bytes);
}

Result<std::vector<uint32_t>> parse_bits(const TypeInfo& type, std::string_view text) {
  std::vector<uint32_t> words;
  if (same(text, "none") || text.empty()) return words;
  for (;;) {
    const size_t bar = text.find('|');
    const std::string_view name = text.substr(0, bar);
    uint64_t bit = 0;
    if (const auto number = parse_number(name)) {
      bit = *number;
    } else {
      bool ambiguous = false;
      const Enumerator* found = find_enumerator(type.names, name, ambiguous);
      if (found == nullptr || ambiguous) return error(Errc::invalid, "\"{}\" is no bit of this {}", name, type.name);
      bit = static_cast<uint64_t>(found->value);
    }
    if (bit >= 1024) return error(Errc::too_large, "bit {} is beyond any bitmap", bit);
    if (words.size() <= bit / 32) words.resize(bit / 32 + 1);
    words[bit / 32] |= uint32_t{1} << (bit % 32);
    if (bar == std::string_view::npos) return words;
    text.remove_prefix(bar + 1);
  }
}

std::string_view enumerator_name(const TypeInfo& type, int64_t value) {
  for (const Enumerator& e : type.names)
    if (e.value == value) return e.name;
  return {};
}

std::string bit_name(const TypeInfo& type, uint32_t bit) {
  const std::string_view name = enumerator_name(type, bit);
  if (name.empty()) return fmt::format("{}", bit);
  return std::string(name.substr(name.find('_') + 1));
}

void append_bits(std::string& out, const TypeInfo& type, std::span<const uint32_t> words) {
  const size_t begin = out.size();
  size_t at = 0;  // names stand in order of their bits, mostly: each is looked for behind the last
  for (size_t word = 0; word < words.size(); ++word) {
    for (uint32_t left = words[word]; left != 0; left &= left - 1) {
      const auto bit = static_cast<int64_t>(word * 32) + std::countr_zero(left);
      if (out.size() != begin) out += '|';
      size_t steps = 0;
      while (steps < type.names.size() && type.names[at].value != bit) {
        at = at + 1 == type.names.size() ? 0 : at + 1;
        ++steps;
      }
      if (steps == type.names.size()) {
        append_number(out, bit);
      } else {
        const std::string_view name = type.names[at].name;
        out += name.substr(name.find('_') + 1);
      }
    }
  }
  if (out.size() == begin) out += "none";
}

void append_short_hex(std::string& out, std::span<const std::byte> bytes, size_t max) {
  append_hex(out, bytes.first(std::min(bytes.size(), max)));
  if (bytes.size() > max) fmt::format_to(std::back_inserter(out), "..({})", bytes.size());
}

void append_quoted(std::string& out, std::string_view text, size_t max) {
  out += '"';
  for (size_t i = 0; i < text.size() && i < max; ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') out += '\\';
    if (c < 0x20 || c >= 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  out += '"';
  if (text.size() > max) fmt::format_to(std::back_inserter(out), "..({})", text.size());
}

}  // namespace pnfs::xdr
