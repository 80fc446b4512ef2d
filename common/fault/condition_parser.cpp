// KEY=VALUE words of a rule.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/fault/condition.hpp"
#include "common/xdr/field_path.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

using Source = Condition::Source;

constexpr std::array<std::pair<std::string_view, Source>, 13> kKeys = {{
    {"client", Source::client},
    {"address", Source::address},
    {"principal", Source::principal},
    {"file", Source::file},
    {"iomode", Source::iomode},
    {"offset", Source::offset},
    {"length", Source::length},
    {"range", Source::range},
    {"compound", Source::compound},
    {"index", Source::index},
    {"minorversion", Source::minorversion},
    {"connection", Source::connection},
    {"status", Source::status},
}};

struct Parts {
  std::string key;
  Compare compare = Compare::equal;
  std::string value;
  size_t value_column = 0;
};

Result<Parts> split(const Words& words) {
  const Word& word = words.peek();
  const size_t at = word.text.find_first_of("=!<>~");
  if (at == std::string::npos || at == 0)
    return words.fail(fmt::format("a condition like iomode=RW or \"do\" was expected, not \"{}\"", word.text));
  constexpr std::pair<std::string_view, Compare> kOperators[] = {
      {"!=", Compare::different}, {"<=", Compare::less_equal}, {">=", Compare::greater_equal}, {"=", Compare::equal},
      {"<", Compare::less},       {">", Compare::greater},     {"~", Compare::contains}};
  const std::string_view rest = std::string_view(word.text).substr(at);
  for (const auto& [text, compare] : kOperators)
    if (rest.starts_with(text))
      return Parts{word.text.substr(0, at), compare, std::string(rest.substr(text.size())),
                   word.column + at + text.size()};
  return words.fail_at(word.column + at, "one of = != < <= > >= ~ was expected");
}

// Limits are = only. True when the key was one.
Result<bool> parse_limit(const Words& words, const Parts& parts, Limits& limits) {
  const auto number = xdr::parse_number(parts.value);
  auto positive = [&](uint64_t& target) -> Result<bool> {
    if (!number || *number == 0) return words.fail_at(parts.value_column, "a number from 1 was expected");
    target = *number;
    return true;
  };
  auto duration = [&](auto& target) -> Result<bool> {
    const auto d = parse_duration(parts.value);
    if (!d) return words.fail_at(parts.value_column, "a time like 500ms, 2s or 1m was expected");
    target = *d;
    return true;
  };
  if (parts.compare != Compare::equal) return false;
  if (parts.key == "nth") return positive(limits.nth);
  if (parts.key == "every") return positive(limits.every);
  if (parts.key == "times") return positive(limits.times);
  if (parts.key == "from") return duration(limits.from);
  if (parts.key == "until") return duration(limits.until);
  if (parts.key != "probability") return false;
  const auto p = parse_probability(parts.value);
  if (!p) return words.fail_at(parts.value_column, "a probability like 0.25 or 25% was expected");
  limits.probability = *p;
  return true;
}

Result<void> parse_range(const Words& words, const Parts& parts, Condition& condition) {
  const size_t dash = parts.value.find('-');
  const auto first = xdr::parse_number(parts.value.substr(0, dash));
  const auto last = dash == std::string::npos ? first : xdr::parse_number(parts.value.substr(dash + 1));
  if (!first || !last || *last < *first || condition.compare > Compare::different)
    return words.fail_at(parts.value_column, "a range of bytes like 0-4095 was expected");
  condition.first = *first;
  condition.last = *last;
  return {};
}

// Whether every alternative is a value of the type.
Result<void> check_values(const Words& words, const Parts& parts, const Condition& condition, const xdr::TypeInfo& type,
                          bool is_count) {
  const bool inequality = condition.compare != Compare::equal && condition.compare != Compare::different &&
                          condition.compare != Compare::contains;
  switch (type.kind) {
    case xdr::Kind::opaque:
    case xdr::Kind::string:
    case xdr::Kind::fixed_opaque:
      if (inequality) return words.fail_at(parts.value_column, "bytes are compared with =, != or ~");
      return {};
    case xdr::Kind::custom:
      if (inequality) return words.fail_at(parts.value_column, "bits are compared with =, != or ~");
      for (const std::string& a : condition.alternatives)
        if (const auto bits = xdr::parse_bits(type, a); !bits)
          return words.fail_at(parts.value_column, bits.error().reason);
      return {};
    case xdr::Kind::array:
    case xdr::Kind::list:
    case xdr::Kind::optional:
      if (is_count) {
        if (!xdr::parse_number(condition.alternatives.front()))
          return words.fail_at(parts.value_column, "a count was expected");
        return {};
      }
      [[fallthrough]];
    case xdr::Kind::structure:
    case xdr::Kind::union_:
      return words.fail(fmt::format("\"{}\" is a whole {}; name one field of it", parts.key, type.name));
    default:
      for (const std::string& a : condition.alternatives)
        if (const auto number = xdr::parse_scalar(type, a); !number)
          return words.fail_at(parts.value_column, number.error().reason);
      return {};
  }
}

// A field of the arguments or results of every point of the rule.
Result<void> parse_field(const Words& words, const Parts& parts, const std::vector<const Point*>& points, Stage stage,
                         Condition& condition) {
  std::string path = parts.key;
  std::vector<Source> sides;
  if (path.starts_with("args.")) {
    path.erase(0, 5);
    sides = {Source::args};
  } else if (path.starts_with("res.")) {
    path.erase(0, 4);
    sides = {Source::res};
  } else if (stage == Stage::before) {
    sides = {Source::args};
  } else {
    sides = {Source::res, Source::args};
  }
  if (sides.front() == Source::res && sides.size() == 1 && stage == Stage::before)
    return words.fail("results are not known before; write \"after\"");
  std::string why = "nothing here has fields";
  for (const Source side : sides) {
    bool all = true;
    for (const Point* point : points) {
      const xdr::TypeInfo* message = side == Source::args ? point->args : point->res;
      bool is_count = false;
      const auto type =
          message == nullptr
              ? Result<const xdr::TypeInfo*>(error(Errc::not_found, "{} has no {} to look at", full_name(*point),
                                                   side == Source::args ? "arguments" : "results"))
              : xdr::resolve_path(*message, path, &is_count);
      if (!type) {
        why = fmt::format("\"{}\" is no condition and no field: {}", parts.key, type.error().reason);
        all = false;
        break;
      }
      if (const auto ok = check_values(words, parts, condition, **type, is_count); !ok) return ok.error();
    }
    if (!all) continue;
    condition.source = side;
    condition.path = path;
    return {};
  }
  return words.fail(why);
}

}  // namespace

Result<void> parse_condition(Words& words, const std::vector<const Point*>& points, Stage stage,
                             std::vector<Condition>& conditions, Limits& limits) {
  if (words.take_if("once")) {
    limits.times = 1;
    return {};
  }
  const auto parts = split(words);
  if (!parts) return parts.error();
  const auto limit = parse_limit(words, *parts, limits);
  if (!limit) return limit.error();
  if (*limit) {
    words.take();
    return {};
  }
  Condition condition;
  condition.compare = parts->compare;
  std::string_view values = parts->value;
  for (;;) {
    const size_t comma = condition.compare <= Compare::different ? values.find(',') : std::string_view::npos;
    condition.alternatives.emplace_back(values.substr(0, comma));
    if (comma == std::string_view::npos) break;
    values.remove_prefix(comma + 1);
  }
  const auto* key = std::ranges::find(kKeys, parts->key, &std::pair<std::string_view, Source>::first);
  if (key == kKeys.end()) {
    if (const auto ok = parse_field(words, *parts, points, stage, condition); !ok) return ok.error();
  } else {
    condition.source = key->second;
    if (condition.source == Source::range) {
      if (const auto ok = parse_range(words, *parts, condition); !ok) return ok.error();
    } else if (condition.source == Source::status && stage == Stage::before) {
      return words.fail("the status is not known before; write \"after\"");
    } else if (condition.source == Source::offset || condition.source == Source::length ||
               condition.source == Source::index || condition.source == Source::minorversion ||
               condition.source == Source::connection) {
      for (const std::string& a : condition.alternatives)
        if (!xdr::parse_number(a)) return words.fail_at(parts->value_column, "a number was expected");
    } else if (condition.compare != Compare::equal && condition.compare != Compare::different &&
               condition.compare != Compare::contains) {
      return words.fail_at(parts->value_column, fmt::format("{} is compared with =, != or ~", parts->key));
    }
  }
  conditions.push_back(std::move(condition));
  words.take();
  return {};
}

}  // namespace pnfs::fault
