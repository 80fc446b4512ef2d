#include "testbed/scenario/expectation.hpp"

#include <charconv>
#include <sstream>

namespace pnfs::scenario {

namespace {

constexpr size_t kNearestShown = 5;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Takes `word` off the front of `text` when it stands there.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text = trim(text.substr(word.size()));
  return true;
}

Result<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size())
    return error(Errc::invalid, "'{}' is not a whole number", text);
  return value;
}

bool like(std::string_view pattern, std::string_view text) {
  const bool open_front = pattern.starts_with('*');
  if (open_front) pattern.remove_prefix(1);
  const bool open_back = pattern.ends_with('*');
  if (open_back) pattern.remove_suffix(1);
  if (open_front && open_back) return text.find(pattern) != text.npos;
  if (open_front) return text.ends_with(pattern);
  if (open_back) return text.starts_with(pattern);
  return text == pattern;
}

std::string field_text(const std::string& value) {
  return value;
}
template <class T>
std::string field_text(const std::optional<T>& value) {
  return value ? std::to_string(*value) : std::string();
}

std::string show(const trace::OwnedEvent& e) {
  std::string line = fmt::format("{} {}", e.node, e.op);
  for (const auto& [name, value] : {std::pair{"iomode", e.iomode}, {"status", e.status}, {"reason", e.reason}})
    if (!value.empty()) line += fmt::format(" {}={}", name, value);
  return line;
}

// The same operation at the same node, whatever its fields: what a reader wants to see when the pattern was not met.
std::string nearest(const Pattern& pattern, const Observed& observed) {
  const Pattern loose{pattern.node, pattern.op, {}};
  std::string text;
  size_t shown = 0, total = 0;
  for (const auto& event : observed.events) {
    if (!matches(loose, event)) continue;
    ++total;
    if (shown < kNearestShown) text += "\n    " + show(event);
    if (shown < kNearestShown) ++shown;
  }
  if (total == 0) return fmt::format("; {} executed no {}", pattern.node, pattern.op);
  return fmt::format("; nearest of {}:{}", total, text);
}

Result<Pattern> parse_pattern(std::string_view text) {
  std::istringstream words{std::string(text)};
  Pattern pattern;
  words >> pattern.node >> pattern.op;
  if (pattern.op.empty()) return error(Errc::invalid, "'{}': expected NODE OP [field=value ...]", text);
  for (std::string word; words >> word;) {
    const size_t equal = word.find('=');
    if (equal == word.npos || equal == 0) return error(Errc::invalid, "'{}': expected field=value", word);
    const std::string name = word.substr(0, equal);
    bool known = false;
    trace::OwnedEvent probe;
    trace::each_field(probe, [&](std::string_view field, auto&) { known |= field == name; });
    if (!known) return error(Errc::invalid, "'{}': the trace has no field of that name", name);
    pattern.fields.emplace_back(name, word.substr(equal + 1));
  }
  return pattern;
}

Result<Expectation> parse_count(std::string_view text) {
  Expectation e{.check = Check::count};
  for (const auto& [sign, relation] :
       {std::pair{"==", Relation::equal}, {">=", Relation::at_least}, {"<=", Relation::at_most}}) {
    const size_t at = text.rfind(sign);
    if (at == text.npos) continue;
    auto number = parse_number(trim(text.substr(at + 2)));
    if (!number) return number.error();
    auto pattern = parse_pattern(trim(text.substr(0, at)));
    if (!pattern) return pattern.error();
    e.relation = relation;
    e.number = *number;
    e.patterns.push_back(std::move(*pattern));
    return e;
  }
  return error(Errc::invalid, "expected '== N', '>= N' or '<= N' at the end");
}

Result<Expectation> parse_order(std::string_view text) {
  Expectation e{.check = Check::order};
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    auto pattern = parse_pattern(trim(text.substr(0, comma)));
    if (!pattern) return pattern.error();
    e.patterns.push_back(std::move(*pattern));
    text = trim(text.substr(std::min(comma + 1, text.size())));
  }
  if (e.patterns.size() < 2) return error(Errc::invalid, "order needs two patterns or more, with commas between");
  return e;
}

Result<Expectation> parse_words(std::string_view rest) {
  if (take(rest, "exit ")) {
    auto number = parse_number(rest);
    if (!number) return number.error();
    return Expectation{.check = Check::exit_code, .number = *number};
  }
  if (take(rest, "output has ")) return Expectation{.check = Check::output_has, .words = std::string(rest)};
  if (take(rest, "output lacks ")) return Expectation{.check = Check::output_lacks, .words = std::string(rest)};
  if (rest == "kernel log is clean") return Expectation{.check = Check::kernel_log_clean};
  if (take(rest, "count ")) return parse_count(rest);
  if (take(rest, "order ")) return parse_order(rest);
  if (take(rest, "never ")) {
    auto pattern = parse_pattern(rest);
    if (!pattern) return pattern.error();
    return Expectation{.check = Check::count, .patterns = {std::move(*pattern)}};
  }
  return error(Errc::invalid,
               "expected one of: exit, output has, output lacks, kernel log is clean, count, never, order");
}

std::string unmet_count(const Expectation& e, const Observed& observed) {
  uint64_t seen = 0;
  for (const auto& event : observed.events) seen += matches(e.patterns[0], event) ? 1 : 0;
  const bool met = e.relation == Relation::equal      ? seen == e.number
                   : e.relation == Relation::at_least ? seen >= e.number
                                                      : seen <= e.number;
  return met ? "" : fmt::format("seen {} times{}", seen, nearest(e.patterns[0], observed));
}

std::string unmet_order(const Expectation& e, const Observed& observed) {
  size_t next = 0;
  for (const auto& event : observed.events)
    if (next < e.patterns.size() && matches(e.patterns[next], event)) ++next;
  if (next == e.patterns.size()) return "";
  return fmt::format("'{} {}' did not follow{}", e.patterns[next].node, e.patterns[next].op,
                     nearest(e.patterns[next], observed));
}

}  // namespace

bool matches(const Pattern& pattern, const trace::OwnedEvent& event) {
  if (!like(pattern.node, event.node) || pattern.op != event.op) return false;
  for (const auto& [name, wanted] : pattern.fields) {
    bool same = false;
    trace::each_field(event, [&](std::string_view field, const auto& value) {
      if (field == name) same = like(wanted, field_text(value));
    });
    if (!same) return false;
  }
  return true;
}

Result<Expectation> parse_expectation(std::string_view line) {
  auto parsed = parse_words(trim(line));
  if (parsed) parsed->text = std::string(trim(line));
  return parsed;
}

std::string unmet(const Expectation& e, const Observed& observed) {
  switch (e.check) {
    case Check::exit_code:
      return static_cast<uint64_t>(observed.exit_code) == e.number
                 ? ""
                 : fmt::format("exit code was {}; the client printed:\n{}", observed.exit_code, observed.output);
    case Check::output_has:
      return observed.output.find(e.words) != std::string::npos ? "" : "the client printed:\n" + observed.output;
    case Check::output_lacks:
      return observed.output.find(e.words) == std::string::npos ? "" : "the client printed:\n" + observed.output;
    case Check::kernel_log_clean:
      return observed.kernel_problems.empty() ? "" : "the guest's kernel said: " + observed.kernel_problems.front();
    case Check::count:
      return unmet_count(e, observed);
    case Check::order:
      return unmet_order(e, observed);
  }
  return "";
}

}  // namespace pnfs::scenario
