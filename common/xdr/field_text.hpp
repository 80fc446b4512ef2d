// Values as text: what FieldView::set accepts and what fault rules compare with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/arena.hpp"
#include "common/base/result.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::xdr {

// Decimal, negative decimal (two's complement), 0x hex; the whole text.
std::optional<uint64_t> parse_number(std::string_view text);

// A number, true/false, or an enumerator: its whole name, or what follows an underscore in it (RW for
// LAYOUTIOMODE4_RW). The shortest name wins where several end alike; two equally short ones are an error.
Result<uint64_t> parse_scalar(const TypeInfo& type, std::string_view text);

// "hex:00ff" or the text itself; the bytes live in `arena`.
Result<std::span<const std::byte>> parse_bytes(std::string_view text, Arena& arena);

// The words of a bitmap from "SIZE|MODE|74"; "none" and "" have no words.
Result<std::vector<uint32_t>> parse_bits(const TypeInfo& type, std::string_view text);

// The name of a number of this enumeration, "" when it has none.
std::string_view enumerator_name(const TypeInfo& type, int64_t value);
// The name of a bit of a bitmap without the part up to the first underscore.
std::string bit_name(const TypeInfo& type, uint32_t bit);
// "SIZE|MODE|74" or "none".
void append_bits(std::string& out, const TypeInfo& type, std::span<const uint32_t> words);

// "0a0b0c"; at most `max` bytes, then "..(length)".
void append_short_hex(std::string& out, std::span<const std::byte> bytes, size_t max);
inline std::string hex(std::span<const std::byte> bytes, size_t max) {
  std::string out;
  append_short_hex(out, bytes, max);
  return out;
}
// In double quotes, control characters and bytes that are not ASCII escaped; at most `max` bytes, then "..(length)".
void append_quoted(std::string& out, std::string_view text, size_t max);

}  // namespace pnfs::xdr
