#include "common/fault/rule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/glob.hpp"

namespace pnfs::fault {

namespace {

std::vector<std::pair<std::string_view, size_t>> split_list(const Word& word) {
  std::vector<std::pair<std::string_view, size_t>> out;
  std::string_view rest = word.text;
  size_t column = word.column;
  for (;;) {
    const size_t comma = rest.find(',');
    out.emplace_back(rest.substr(0, comma), column);
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
    column += comma + 1;
  }
}

Result<void> parse_where(Words& words, const Vocabulary& vocabulary, Rule& rule) {
  if (words.take_if("on")) {
    if (words.at_end()) return words.fail("a node like mds or ds1 was expected after \"on\"");
    const Word nodes = words.take();
    for (const auto& [node, column] : split_list(nodes)) {
      if (node.empty()) return words.fail_at(column, "a node like mds or ds1 was expected");
      rule.nodes.emplace_back(node);
    }
  }
  if (words.take_if("before")) {
    rule.stage = Stage::before;
  } else if (words.take_if("after")) {
    rule.stage = Stage::after;
  } else if (words.take_if("reply")) {
    rule.stage = Stage::reply;
  } else {
    return words.fail(rule.nodes.empty() ? "\"on\", \"before\", \"after\" or \"reply\" was expected"
                                         : "\"before\", \"after\" or \"reply\" was expected");
  }
  if (words.at_end()) return words.fail("an operation like LAYOUTGET was expected");
  const Word points = words.take();
  for (const auto& [pattern, column] : split_list(points)) {
    const auto found = vocabulary.find(pattern);
    if (found.empty()) {
      const std::string nearest = vocabulary.nearest(pattern);
      return words.fail_at(column,
                           fmt::format("\"{}\" is no operation{}", pattern,
                                       nearest.empty() ? std::string() : fmt::format("; did you mean {}?", nearest)));
    }
    if (!has_stage(found.front()->domain, rule.stage))
      return words.fail_at(column, fmt::format("{} has no \"{}\"", full_name(*found.front()), to_string(rule.stage)));
    if (!rule.points.empty() && rule.points.front()->domain != found.front()->domain)
      return words.fail_at(column, fmt::format("{} and {} are of different kinds; write two rules",
                                               full_name(*rule.points.front()), full_name(*found.front())));
    rule.points.insert(rule.points.end(), found.begin(), found.end());
  }
  return {};
}

}  // namespace

bool Rule::names_node(std::string_view node) const {
  return nodes.empty() || std::ranges::any_of(nodes, [&](const std::string& n) { return glob_match(n, node); });
}

bool Rule::names_point(const Context& context) const {
  return std::ranges::any_of(points, [&](const Point* point) {
    if (point->name == context.op) return true;
    return stage == Stage::reply && std::ranges::find(context.compound, point->name) != context.compound.end();
  });
}

Result<Rule> parse_rule(std::string_view text, const Vocabulary& vocabulary) {
  auto split = Words::split(text);
  if (!split) return split.error();
  Words& words = *split;
  Rule rule;
  rule.text = std::string(text);
  if (const auto ok = parse_where(words, vocabulary, rule); !ok) return ok.error();
  while (!words.take_if("do")) {
    if (words.at_end()) return words.fail("\"do\" and an action were expected");
    const auto ok = parse_condition(words, rule.points, rule.stage, rule.conditions, rule.limits);
    if (!ok) return ok.error();
  }
  const Place place{vocabulary, rule.points, rule.stage};
  do {
    auto action = parse_action(words, place);
    if (!action) return action.error();
    rule.actions.push_back(std::move(*action));
  } while (words.take_if("then"));
  if (!words.at_end())
    return words.fail(fmt::format("\"then\" or the end was expected, not \"{}\"", words.peek().text));
  return rule;
}

}  // namespace pnfs::fault
