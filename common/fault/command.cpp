#include "common/fault/command.hpp"

#include <charconv>

namespace pnfs::fault {

namespace {

template <class T>
bool to_number(std::string_view text, T& out) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc{} && end == text.data() + text.size() && !text.empty();
}

std::string_view take_until(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view word = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return word;
}

std::string list_rules(const Engine& engine) {
  std::string out;
  for (const RuleState& rule : engine.list())
    out += fmt::format("{}\t{}\t{}\t{}\t{}\n", rule.id, rule.matched, rule.hits, rule.here ? "here" : "elsewhere",
                       rule.text);
  return out;
}

}  // namespace

Result<std::string> run_command(Engine& engine, const Vocabulary& vocabulary, std::string_view command) {
  std::string_view rest = command;
  const std::string_view verb = take_until(rest, ' ');
  if (verb == "add") {
    const auto id = engine.add(rest);
    if (!id) return id.error();
    return fmt::format("{}\n", *id);
  }
  if (verb == "list" && rest.empty()) return list_rules(engine);
  if (verb == "remove") {
    RuleId id = 0;
    if (!to_number(rest, id)) return error(Errc::invalid, "remove: \"{}\" is not the number of a rule", rest);
    if (!engine.remove(id)) return error(Errc::not_found, "there is no rule {}", id);
    return std::string();
  }
  if (verb == "clear" && rest.empty()) {
    engine.clear();
    return std::string();
  }
  if (verb == "points" && (rest.empty() || rest == "fields")) {
    std::string out;
    for (const std::string& line : vocabulary.describe(!rest.empty())) out += line + '\n';
    return out;
  }
  return error(Errc::invalid, "\"{}\" is no command; add, list, remove, clear and points are", command);
}

Result<std::vector<RuleState>> parse_list(std::string_view answer) {
  std::vector<RuleState> out;
  while (!answer.empty()) {
    std::string_view line = take_until(answer, '\n');
    const std::string_view whole = line;
    RuleState rule;
    const bool good = to_number(take_until(line, '\t'), rule.id) && to_number(take_until(line, '\t'), rule.matched) &&
                      to_number(take_until(line, '\t'), rule.hits);
    rule.here = take_until(line, '\t') == "here";
    rule.text = line;
    if (!good || rule.text.empty()) return error(Errc::corrupt, "\"{}\" is no rule with its counts", whole);
    out.push_back(std::move(rule));
  }
  return out;
}

}  // namespace pnfs::fault
