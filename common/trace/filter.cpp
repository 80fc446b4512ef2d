#include "common/trace/filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/glob.hpp"

namespace pnfs::trace {

namespace {

bool is_field(std::string_view name) {
  bool found = name == "kind" || name == "file" || name == "request";
  const Event event;
  each_field(event, [&](std::string_view field, const auto&) { found = found || field == name; });
  return found;
}

bool is_numeric(std::string_view name) {
  bool numeric = false;
  const Event event;
  each_field(event, [&](std::string_view field, const auto& value) {
    if (field == name) numeric = !std::is_convertible_v<decltype(value), std::string_view>;
  });
  return numeric;
}

std::string all_fields() {
  std::string out = "kind, file, request";
  const Event event;
  each_field(event, [&](std::string_view field, const auto&) { out += fmt::format(", {}", field); });
  return out;
}

// Calls f(text) with each text that stands for the field; stops at the first true.
template <class F>
bool any_text(std::string_view name, const Event& event, F&& f) {
  if (name == "kind") return f(to_string(event.kind));
  if (name == "file") {
    if (f(event.path)) return true;
    return event.fileid && f(fmt::format("{}", *event.fileid));
  }
  if (name == "request") {
    if (event.call && f(fmt::format("{}:{}", event.node, *event.call))) return true;
    return f(event.cause);
  }
  if (name == "client" && f(event.client_addr)) return true;
  bool result = false;
  each_field(event, [&](std::string_view field, const auto& value) {
    if (field != name || result) return;
    if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
      result = f(std::string_view(value));
    } else {
      result = f(value ? fmt::format("{}", *value) : std::string());
    }
  });
  return result;
}

bool text_matches(std::string_view field, std::string_view pattern, std::string_view text) {
  if (glob_match(pattern, text)) return true;
  if (field != "status") return false;
  if (text == "GOOD" && glob_match(pattern, "OK")) return true;  // SCSI's word for it
  for (const std::string_view prefix : {"NFS4ERR_", "NFS4_", "CTL_"})
    if (text.starts_with(prefix) && glob_match(pattern, text.substr(prefix.size()))) return true;
  return false;
}

}  // namespace

Result<Filter> Filter::parse(std::span<const std::string> terms) {
  Filter filter;
  for (const std::string& term : terms)
    if (const auto added = filter.add(term); !added) return added.error();
  return filter;
}

Result<void> Filter::add(std::string_view text) {
  const size_t at = text.find_first_of("=!<>");
  if (at == std::string_view::npos || at == 0)
    return error(Errc::invalid, "\"{}\" is not a filter; write FIELD=VALUE, for example op=LAYOUTGET", text);
  Term term{std::string(text.substr(0, at)), Compare::equal, {}, 0};
  if (!is_field(term.field))
    return error(Errc::invalid, "\"{}\" is not a field of an event; fields: {}", term.field, all_fields());
  std::string_view rest = text.substr(at);
  constexpr std::pair<std::string_view, Compare> kOperators[] = {
      {"!=", Compare::different}, {"<=", Compare::less_equal}, {">=", Compare::greater_equal},
      {"=", Compare::equal},      {"<", Compare::less},        {">", Compare::greater}};
  const auto* op = std::ranges::find_if(kOperators, [&](const auto& o) { return rest.starts_with(o.first); });
  if (op == std::end(kOperators)) return error(Errc::invalid, "\"{}\": '=' is missing after '!'", text);
  term.compare = op->second;
  rest.remove_prefix(op->first.size());
  if (term.compare == Compare::equal || term.compare == Compare::different) {
    for (;;) {
      const size_t comma = rest.find(',');
      term.alternatives.emplace_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  } else {
    if (!is_numeric(term.field)) return error(Errc::invalid, "\"{}\": {} is not a number", text, term.field);
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), term.number);
    if (problem != std::errc{} || end != rest.data() + rest.size())
      return error(Errc::invalid, "\"{}\": \"{}\" is not a number", text, rest);
  }
  terms_.push_back(std::move(term));
  return {};
}

bool Filter::holds(const Term& term, const Event& event) {
  if (term.compare == Compare::equal || term.compare == Compare::different) {
    bool said = false;
    const bool equal = any_text(term.field, event, [&](std::string_view text) {
      said = said || !text.empty();
      return std::ranges::any_of(term.alternatives,
                                 [&](const std::string& a) { return text_matches(term.field, a, text); });
    });
    return term.compare == Compare::equal ? equal : said && !equal;
  }
  bool result = false;
  each_field(event, [&](std::string_view field, const auto& value) {
    if constexpr (!std::is_convertible_v<decltype(value), std::string_view>) {
      if (field != term.field || !value) return;
      const uint64_t number = *value;
      result = term.compare == Compare::less         ? number < term.number
               : term.compare == Compare::less_equal ? number <= term.number
               : term.compare == Compare::greater    ? number > term.number
                                                     : number >= term.number;
    }
  });
  return result;
}

bool Filter::matches(const Event& event) const {
  return std::ranges::all_of(terms_, [&](const Term& term) { return holds(term, event); });
}

}  // namespace pnfs::trace
