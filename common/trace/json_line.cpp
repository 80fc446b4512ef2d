#include "common/trace/json_line.hpp"

#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

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

// Lines are written through a pointer into room that is large enough for every byte of every text as \u00XX.
void put(char*& at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  at += text.size();
}

void put_number(char*& at, auto number) {
  at = std::to_chars(at, at + 20, number).ptr;
}

bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

// The same of eight at once: no byte is above 0x7F, none is below 0x20, and none is one of the three.
bool are_plain(uint64_t eight) {
  constexpr uint64_t kOnes = 0x0101'0101'0101'0101, kHigh = kOnes * 0x80;
  const auto has = [&](uint64_t byte) {
    const uint64_t x = eight ^ (kOnes * byte);
    return (x - kOnes) & ~x;
  };
  return ((eight | ((eight - kOnes * 0x20) & ~eight) | has('"') | has('\\') | has(0x7F)) & kHigh) == 0;
}

void put_text(char*& at, std::string_view text) {
  *at++ = '"';
  for (size_t i = 0; i < text.size();) {
    if (uint64_t eight = 0; text.size() - i >= 8) {  // nearly all of nearly every text
      std::memcpy(&eight, text.data() + i, 8);
      if (are_plain(eight)) {
        std::memcpy(at, &eight, 8);
        at += 8;
        i += 8;
        continue;
      }
    }
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const size_t length = utf8_length(text, i);
    if (is_plain(c)) {
      *at++ = static_cast<char>(c);
    } else if (c == '"' || c == '\\') {
      *at++ = '\\';
      *at++ = static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F || length == 0) {
      constexpr char kDigits[] = "0123456789abcdef";
      put(at, "\\u00");
      *at++ = kDigits[c >> 4];
      *at++ = kDigits[c & 15];
    } else {
      put(at, text.substr(i, length));
    }
    i += length == 0 ? 1 : length;
  }
  *at++ = '"';
}

}  // namespace

void append_json_line(std::string& out, const Event& event) {
  if (event.args_of || event.res_of) {
    Event complete = event;
    complete.args_of = complete.res_of = {};
    std::string args, res;
    if (event.args.empty() && event.args_of) complete.args = args = event.args_of.to_line();
    if (event.res.empty() && event.res_of) complete.res = res = event.res_of.to_line();
    append_json_line(out, complete);
    return;
  }
  size_t most = 128;
  each_field(event, [&](std::string_view name, const auto& field) {
    if constexpr (is_text_field<decltype(field)>) {
      if (!field.empty()) most += name.size() + 6 + 6 * field.size();
    } else if (field) {
      most += name.size() + 4 + 20;
    }
  });
  const size_t begin = out.size();
  out.resize(begin + most);
  char* at = out.data() + begin;
  put(at, "{\"v\":");
  put_number(at, kVersion);
  put(at, ",\"ts\":");
  put_number(at, event.ts.seconds);
  char* const point = at;  // nine digits behind a 1, which the point replaces
  put_number(at, 1'000'000'000 + event.ts.nanoseconds);
  *point = '.';
  put(at, ",\"kind\":\"");
  put(at, to_string(event.kind));
  *at++ = '"';
  each_field(event, [&](std::string_view name, const auto& field) {
    if constexpr (is_text_field<decltype(field)>) {
      if (field.empty()) return;
    } else {
      if (!field) return;
    }
    put(at, ",\"");
    put(at, name);
    put(at, "\":");
    if constexpr (is_text_field<decltype(field)>) {
      put_text(at, field);
    } else {
      put_number(at, *field);
    }
  });
  put(at, "}\n");
  out.resize(static_cast<size_t>(at - out.data()));
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
