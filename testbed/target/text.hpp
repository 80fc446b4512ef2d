// key=value text of login and text PDUs (RFC 7143 6.1): entries end with a zero byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "testbed/target/bytes.hpp"

namespace pnfs::target {

struct KeyValue {
  std::string_view key;
  std::string_view value;
};

inline constexpr size_t kMaxTextBytes = 65536;  // over all PDUs of one request
inline constexpr size_t kMaxTextKeys = 128;

// Views into `text`. Errc::protocol for a key without '=', an empty or over-long key, too many keys.
Result<std::vector<KeyValue>> parse_text(std::string_view text);

void append_text(std::string& out, std::string_view key, std::string_view value);

// "0x...", "0b..." (base64) or decimal, as CHAP and numbers use them; at most `limit` bytes.
Result<std::vector<uint8_t>> parse_binary(std::string_view value, size_t limit);
std::string format_binary(ConstBytes bytes);

// Decimal or hexadecimal number within [low, high].
Result<uint32_t> parse_number(std::string_view value, uint32_t low, uint32_t high);

std::vector<std::string_view> split_list(std::string_view value);

// Lower case, as iSCSI names are compared (RFC 7143 4.2.7).
std::string normal_name(std::string_view name);

}  // namespace pnfs::target
