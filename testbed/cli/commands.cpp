#include "testbed/cli/commands.hpp"

#include <sstream>

namespace pnfs::cli {

std::string join(const std::vector<std::string>& words, std::string_view by) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : std::string(by)) + word;
  return all;
}

CommandText text_of(const CLI::App& command) {
  CommandText text;
  std::istringstream lines(command.get_description() + "\n" + command.get_footer());
  bool in_example = false;
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kExample = "Example:";
    if (line.starts_with(kExample)) {
      in_example = true;
      line.erase(0, kExample.size());
      if (const size_t begin = line.find_first_not_of(' '); begin != line.npos)
        text.examples.push_back(line.substr(begin));
    } else if (in_example && line.starts_with("  ")) {
      text.examples.push_back(line.substr(2));
    } else if (line.empty()) {
      continue;
    } else if (text.summary.empty()) {
      text.summary = line;
    } else {
      in_example = false;
      text.more.push_back(line);
    }
  }
  return text;
}

std::vector<const CLI::App*> children_of(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App* child) { return !child->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
  return command.get_options([&](const CLI::Option* o) { return o->nonpositional() && o != command.get_help_ptr(); });
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* o) { return !o->nonpositional(); });
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{'), close = type.rfind('}');
  std::vector<std::string> choices;
  if (open == type.npos || close == type.npos) return choices;
  std::istringstream words(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(words, word, ',');) choices.push_back(word);
  return choices;
}

std::string value_name(const CLI::Option& option) {
  if (const auto choices = choices_of(option); !choices.empty()) {
    return join(choices, "|");
  }
  const std::string type = option.get_type_name();
  const std::string name = type.substr(0, type.find_first_of(":["));
  if (name == "UINT" || name == "INT") return "N";
  return name.empty() ? "VALUE" : name;
}

void each_command(const CLI::App& app,
                  const std::function<void(const std::vector<std::string>& words, const CLI::App& command)>& f) {
  const std::function<void(std::vector<std::string>, const CLI::App&)> walk = [&](std::vector<std::string> words,
                                                                                  const CLI::App& command) {
    f(words, command);
    for (const CLI::App* child : children_of(command)) {
      words.push_back(child->get_name());
      walk(words, *child);
      words.pop_back();
    }
  };
  walk({}, app);
}

}  // namespace pnfs::cli
