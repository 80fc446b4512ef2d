// The lines of an [expect] section.
#include <charconv>
#include <sstream>

#include "common/fault/words.hpp"
#include "testbed/scenario/expectation.hpp"

namespace pnfs::scenario {

namespace {

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

Result<uint64_t> whole_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size())
    return error(Errc::invalid, "'{}' is not a whole number", text);
  return value;
}

// "... == N" off the end; the rest stays in `text`.
Result<void> take_relation(std::string_view& text, Expectation& e) {
  for (const auto& [sign, relation] :
       {std::pair{" == ", Relation::equal}, {" >= ", Relation::at_least}, {" <= ", Relation::at_most}}) {
    const size_t at = text.rfind(sign);
    if (at == text.npos) continue;
    auto number = whole_number(trim(text.substr(at + 4)));
    if (!number) return number.error();
    e.relation = relation;
    e.number = *number;
    text = trim(text.substr(0, at));
    return {};
  }
  return error(Errc::invalid, "expected '== N', '>= N' or '<= N' at the end");
}

Result<Expectation> with_count(Check check, std::string_view rest) {
  Expectation e{.check = check};
  if (auto taken = take_relation(rest, e); !taken) return taken.error();
  if (check == Check::mountstats_count) {
    e.words = std::string(rest);
    return e;
  }
  auto pattern = parse_pattern(rest);
  if (!pattern) return pattern.error();
  e.patterns.push_back(std::move(*pattern));
  return e;
}

Result<Expectation> with_patterns(Check check, std::string_view text) {
  Expectation e{.check = check};
  if (check == Check::within || check == Check::no_sooner) {
    const size_t blank = std::min(text.find(' '), text.size());
    const auto time = fault::parse_duration(text.substr(0, blank));
    if (!time) return error(Errc::invalid, "'{}': expected a time like 500ms or 2s", text.substr(0, blank));
    e.time = *time;
    text = trim(text.substr(blank));
  }
  while (!text.empty()) {
    // A comma inside a word joins alternatives; one before a blank ends a pattern.
    const size_t comma = std::min(text.find(", "), text.size());
    auto pattern = parse_pattern(trim(text.substr(0, comma)));
    if (!pattern) return pattern.error();
    e.patterns.push_back(std::move(*pattern));
    text = trim(text.substr(std::min(comma + 1, text.size())));
  }
  if (check == Check::order ? e.patterns.size() < 2 : e.patterns.size() != 2)
    return error(Errc::invalid, "expected two patterns{}, with ', ' between", check == Check::order ? " or more" : "");
  return e;
}

// "ds* WRITE between mds OPEN, mds LAYOUTGET": the two ends, then what must not be between them.
Result<Expectation> with_never(std::string_view text) {
  constexpr std::string_view kBetween = " between ";
  const size_t at = text.find(kBetween);
  if (at == text.npos) return with_count(Check::count, std::string(text) + " == 0");
  auto bounds = with_patterns(Check::never_between, trim(text.substr(at + kBetween.size())));
  if (!bounds) return bounds;
  auto pattern = parse_pattern(trim(text.substr(0, at)));
  if (!pattern) return pattern.error();
  bounds->patterns.push_back(std::move(*pattern));
  return bounds;
}

Expectation with_words(Check check, std::string_view words) {
  Expectation e{.check = check};
  e.words = std::string(words);
  return e;
}

// "kernel >= 6.2: " and "kernel < 6.2: " in front of an expectation.
Result<bool> take_kernel(std::string_view& text, Expectation& e) {
  const size_t colon = text.find(": ");
  if (!text.starts_with("kernel ") || colon == text.npos) return false;
  std::string_view condition = text.substr(7, colon - 7);
  std::optional<Version>* bound = nullptr;
  if (take(condition, ">=")) {
    bound = &e.since;
  } else if (take(condition, "<")) {
    bound = &e.before;
  }
  const Version version = parse_version(condition);
  if (bound == nullptr || version.empty())
    return error(Errc::invalid, "expected 'kernel >= VERSION:' or 'kernel < VERSION:'");
  *bound = version;
  text = trim(text.substr(colon + 1));
  return true;
}

Result<bool> take_client(std::string_view& text, Expectation& e) {
  const size_t colon = text.find(": ");
  if (!text.starts_with("client ") || colon == text.npos) return false;
  auto number = whole_number(text.substr(7, colon - 7));
  if (!number) return number.error();
  e.client = static_cast<unsigned>(*number);
  text = trim(text.substr(colon + 1));
  return true;
}

Result<Expectation> parse_words(std::string_view rest) {
  if (take(rest, "exit ")) {
    auto number = whole_number(rest);
    if (!number) return number.error();
    return Expectation{.check = Check::exit_code, .number = *number};
  }
  if (take(rest, "output has ")) return with_words(Check::output_has, rest);
  if (take(rest, "output lacks ")) return with_words(Check::output_lacks, rest);
  if (rest == "kernel log is clean") return Expectation{.check = Check::kernel_log_clean};
  if (take(rest, "kernel log has ")) return with_words(Check::kernel_log_has, rest);
  if (take(rest, "mountstats has ")) return with_words(Check::mountstats_has, rest);
  if (take(rest, "mountstats count ")) return with_count(Check::mountstats_count, rest);
  if (take(rest, "count ")) return with_count(Check::count, rest);
  if (take(rest, "never ")) return with_never(rest);
  if (take(rest, "order ")) return with_patterns(Check::order, rest);
  if (take(rest, "within ")) return with_patterns(Check::within, rest);
  if (take(rest, "no sooner than ")) return with_patterns(Check::no_sooner, rest);
  return error(Errc::invalid,
               "expected one of: exit, output has, output lacks, kernel log is clean, kernel log has, mountstats has, "
               "mountstats count, count, never, order, within, no sooner than");
}

}  // namespace

Version parse_version(std::string_view text) {
  Version version;
  while (!text.empty()) {
    unsigned part = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), part);
    if (ec != std::errc{}) return version;
    version.push_back(part);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (!text.starts_with('.')) break;
    text.remove_prefix(1);
  }
  return version;
}

Result<Pattern> parse_pattern(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string node, op;
  words >> node >> op;
  if (op.empty()) return error(Errc::invalid, "'{}': expected NODE OP [field=value ...]", text);
  Pattern pattern;
  pattern.text = std::string(text);
  for (trace::Filter* filter : {&pattern.whole, &pattern.loose})
    for (const std::string& term : {"node=" + node, "op=" + op})
      if (auto added = filter->add(term); !added) return added.error();
  for (std::string word; words >> word;) {
    if (auto added = pattern.whole.add(word); !added) return added.error();
    if (word.starts_with("kind")) pattern.of_faults = true;
  }
  return pattern;
}

Result<Expectation> parse_expectation(std::string_view line) {
  std::string_view rest = trim(line);
  Expectation head;
  for (;;) {
    auto kernel = take_kernel(rest, head);
    if (!kernel) return kernel.error();
    auto client = take_client(rest, head);
    if (!client) return client.error();
    if (!*kernel && !*client) break;
  }
  auto parsed = parse_words(rest);
  if (!parsed) return parsed.error();
  parsed->text = std::string(trim(line));
  parsed->since = head.since;
  parsed->before = head.before;
  parsed->client = head.client;
  return parsed;
}

}  // namespace pnfs::scenario
