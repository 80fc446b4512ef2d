#include "common/trace/json_line.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "common/base/append.hpp"

namespace pnfs::trace {

namespace {

// The length of the UTF-8 sequence that starts at `at`, 0 when there is none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
size_t utf8_length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && byte(at + 1) < 0xA0) return 0;
  if (first == 0xED && byte(at + 1) > 0x9F) return 0;
  if (first == 0xF0 && byte(at + 1) < 0x90) return 0;
  if (first == 0xF4 && byte(at + 1) > 0x8F) return 0;
  return length;
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    // Nearly all of nearly every text.
    size_t plain = i;
    while (plain < text.size() && text[plain] >= 0x20 && text[plain] != 0x7F && text[plain] != '"' &&
           text[plain] != '\\')
      ++plain;
    out.append(text, i, plain - i);
    if ((i = plain) == text.size()) break;
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const size_t length = utf8_length(text, i);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F || length == 0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out.append(text, i, length);
    }
    i += length == 0 ? 1 : length;
  }
  out += '"';
}

void append_name(std::string& out, std::string_view name) {
  out += ",\"";
  out += name;
  out += "\":";
}

}  // namespace

void append_json_line(std::string& out, const Event& event) {
  out += "{\"v\":";
  append_number(out, kVersion);
  out += ",\"ts\":";
  append_number(out, event.ts.seconds);
  out += '.';
  const fmt::format_int nanoseconds(1'000'000'000 + event.ts.nanoseconds);
  out.append(nanoseconds.data() + 1, nanoseconds.size() - 1);  // nine digits
  out += ",\"kind\":\"";
  out += to_string(event.kind);
  out += '"';
  each_field(event, [&](std::string_view name, const auto& field) {
    if constexpr (std::is_convertible_v<decltype(field), std::string_view>) {
      if (field.empty()) return;
      append_name(out, name);
      append_text(out, field);
    } else {
      if (!field) return;
      append_name(out, name);
      append_number(out, *field);
    }
  });
  out += "}\n";
}

Result<OwnedEvent> parse_json_line(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return error(Errc::invalid, "not a JSON object: {}", line.substr(0, 60));
  if (json.value("v", uint32_t{0}) != kVersion)
    return error(Errc::unsupported, "trace version is not {}: {}", kVersion, line.substr(0, 60));
  OwnedEvent event;
  const auto kind = json.contains("kind") && json["kind"].is_string()
                        ? kind_from_string(json["kind"].get_ref<const std::string&>())
                        : std::nullopt;
  if (!kind) return error(Errc::invalid, "no kind that is known: {}", line.substr(0, 60));
  event.kind = *kind;
  if (!json.contains("ts") || !json["ts"].is_number())
    return error(Errc::invalid, "ts is not a number: {}", line.substr(0, 60));
  // A double has no room for today's nanoseconds; the digits are taken from the text.
  const auto ts_at = line.find("\"ts\":");
  const auto digits = line.substr(ts_at + 5, line.find_first_of(",}", ts_at) - ts_at - 5);
  const auto dot = digits.find('.');
  event.ts.seconds = json["ts"].get<int64_t>();
  if (dot != std::string_view::npos) {
    uint32_t nanoseconds = 0;
    for (size_t i = 1; i <= 9; ++i) {
      const char c = dot + i < digits.size() ? digits[dot + i] : '0';
      nanoseconds = nanoseconds * 10 + (c >= '0' && c <= '9' ? static_cast<uint32_t>(c - '0') : 0);
    }
    event.ts.nanoseconds = nanoseconds;
  }
  std::string_view wrong;
  each_field(event, [&](std::string_view name, auto& field) {
    const auto found = json.find(name);
    if (found == json.end()) return;
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>) {
      if (found->is_string()) {
        field = found->template get<std::string>();
      } else {
        wrong = name;
      }
    } else {
      if (found->is_number_unsigned()) {
        field = found->template get<typename std::decay_t<decltype(field)>::value_type>();
      } else {
        wrong = name;
      }
    }
  });
  if (!wrong.empty()) return error(Errc::invalid, "{} has a wrong type: {}", wrong, line.substr(0, 60));
  return event;
}

}  // namespace pnfs::trace
