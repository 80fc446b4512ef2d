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

// "0a0b0c"; at most `max` bytes, then "..(length)".
std::string hex(std::span<const std::byte> bytes, size_t max);
// In double quotes, control characters and bytes that are not ASCII escaped; at most `max` bytes, then "..(length)".
std::string quoted(std::string_view text, size_t max);

}  // namespace pnfs::xdr
