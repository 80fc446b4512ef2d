#include "common/fault/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {
constexpr size_t kMaxText = 4096;

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return upper(x) == upper(y); });
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), upper);
  return out;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

Result<Words> Words::split(std::string_view text) {
  if (text.size() > kMaxText) return error(Errc::too_large, "a rule has at most {} characters", kMaxText);
  Words out;
  out.end_column_ = text.size() + 1;
  for (size_t i = 0; i < text.size();) {
    if (blank(text[i])) {
      ++i;
      continue;
    }
    Word word{{}, i + 1};
    bool quoted = false;
    size_t quote_at = 0;
    for (; i < text.size() && (quoted || !blank(text[i])); ++i) {
      if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) {
        word.text += text[++i];
      } else if (text[i] == '"') {
        quoted = !quoted;
        quote_at = i;
      } else {
        word.text += text[i];
      }
    }
    if (quoted) return out.fail_at(quote_at + 1, "this quote has no end");
    out.words_.push_back(std::move(word));
  }
  return out;
}

bool Words::take_if(std::string_view text) {
  if (at_end() || !equal_ignoring_case(peek().text, text)) return false;
  ++next_;
  return true;
}

Error Words::fail(std::string_view what) const {
  return fail_at(at_end() ? end_column_ : peek().column, what);
}

Error Words::fail_at(size_t column, std::string_view what) const {
  return error(Errc::invalid, "column {}: {}", column, what);
}

std::optional<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || number < 0 || number > 1e9) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const double ns = unit == "us" ? 1e3 : unit == "ms" ? 1e6 : unit == "s" ? 1e9 : unit == "m" ? 60e9 : -1;
  if (ns < 0 || number * ns > 1e18) return std::nullopt;
  return Duration(static_cast<int64_t>(number * ns));
}

std::string to_string(Duration duration) {
  const int64_t us = duration.count() / 1000;
  if (us % 1'000'000 == 0) return fmt::format("{}s", us / 1'000'000);
  if (us % 1000 == 0) return fmt::format("{}ms", us / 1000);
  return fmt::format("{}us", us);
}

std::optional<uint32_t> parse_probability(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (percent) number /= 100;
  if (!(number >= 0 && number <= 1)) return std::nullopt;
  return static_cast<uint32_t>(number * 1'000'000 + 0.5);
}

}  // namespace pnfs::fault
