// pnfslab fault: rules that break a running lab on purpose (common/fault/RULES.md).
#include <nlohmann/json.hpp>

#include "testbed/cli/command.hpp"
#include "testbed/lab/fault_rules.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string state = default_state_folder();
  std::vector<std::string> words;
  bool points = false;
  bool fields = false;
  bool as_json = false;
};

// The rule may be given as one word or as many: both are what a person types.
std::string joined(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += word.find(' ') == word.npos ? word : '"' + word + '"';
  }
  return out;
}

int add(const Options& options) {
  const auto state = load_state(options.state);
  if (!state) return report("fault", state.error());
  const std::string rule = joined(options.words);
  const auto added = add_rule(*state, rule);
  if (!added) {
    // What the column in the message counts in.
    if (added.error().code == Errc::invalid) fmt::print(stderr, "  {}\n", rule);
    return report("fault", added.error());
  }
  for (const NodeRule& one : *added) fmt::print("{}\n", one.name());
  return 0;
}

int list_points(const Options& options) {
  for (const std::string& line : lab_vocabulary().describe(options.fields)) fmt::print("{}\n", line);
  return 0;
}

int list(const Options& options) {
  if (options.points || options.fields) return list_points(options);
  const auto state = load_state(options.state);
  if (!state) return report("fault", state.error());
  const auto rules = list_rules(*state);
  if (!rules) return report("fault", rules.error());
  if (options.as_json) {
    auto out = nlohmann::json::array();
    for (const NodeRule& r : *rules)
      out.push_back({{"id", r.name()},
                     {"node", r.node},
                     {"matched", r.state.matched},
                     {"hits", r.state.hits},
                     {"rule", r.state.text}});
    fmt::print("{}\n", out.dump(2));
    return 0;
  }
  fmt::print("{:<10} {:>8} {:>8}  {}\n", "rule", "matched", "hits", "");
  for (const NodeRule& r : *rules)
    fmt::print("{:<10} {:>8} {:>8}  {}\n", r.name(), r.state.matched, r.state.hits, r.state.text);
  return 0;
}

int clear(const Options& options) {
  const auto state = load_state(options.state);
  if (!state) return report("fault", state.error());
  Result<void> done;
  if (options.words.empty()) done = clear_rules(*state);
  for (const std::string& name : options.words)
    if (done) done = remove_rule(*state, name);
  return done ? 0 : report("fault", done.error());
}

}  // namespace

void add_fault(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("fault",
                                 "Break a running lab on purpose\n"
                                 "Example: pnfslab fault add on mds before LAYOUTGET iomode=RW do return BADIOMODE\n"
                                 "The language: common/fault/RULES.md");
  sub->require_subcommand(1);
  auto options = std::make_shared<Options>();
  auto command = [&](const char* name, const char* help, int (*run)(const Options&)) {
    auto* each = sub->add_subcommand(name, help);
    each->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
    each->callback([options, run, &action] { action = [options, run] { return run(*options); }; });
    return each;
  };
  command("add",
          "Add a rule; prints its number at each server that it concerns\n"
          "Example: pnfslab fault add 'on ds1 before WRITE nth=3 do delay 2s'",
          add)
      ->add_option("rule", options->words, "The rule")
      ->required();
  auto* list_command = command("list", "Show the rules of all servers and how often each acted\n"
                               "Example: pnfslab fault list --points", list);
  list_command->add_flag("--points", options->points, "Show every place that a rule may name instead");
  list_command->add_flag("--fields", options->fields, "The same with the fields of each");
  list_command->add_flag("--json", options->as_json, "Machine-readable");
  command("clear", "Remove rules\nExample: pnfslab fault clear mds:1", clear)
      ->add_option("rules", options->words, "Their numbers; all rules when none is given");
}

}  // namespace pnfs::cli
