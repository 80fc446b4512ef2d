#include "testbed/target/rule_desk.hpp"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "common/fault/command.hpp"

namespace pnfs::target {

RuleDesk::RuleDesk(const Clock& clock, uint64_t seed)
    : engine_(vocabulary_, clock, {"target", seed, this}), hook_(engine_) {
  add_scsi_points(vocabulary_);
}

Result<void> RuleDesk::start(Server& server, const std::vector<std::string>& rules, TargetTrace* trace) {
  if (trace != nullptr)
    engine_.on_hit = [trace](const fault::RuleState& rule, const fault::Context& context) {
      trace->on_rule(fmt::format("rule {}: {}", rule.id, rule.text), context.op, context.client);
    };
  for (const std::string& rule : rules)
    if (auto added = engine_.add(rule); !added) return added.error().with_context("--fault");
  server.set_fault_hook(&hook_);
  return {};
}

Result<std::string> RuleDesk::command(std::string_view text) {
  constexpr std::string_view kPrefix = "fault ";
  if (!text.starts_with(kPrefix)) return error(Errc::invalid, "\"{}\" is no command; those of fault rules are", text);
  return fault::run_command(engine_, vocabulary_, text.substr(kPrefix.size()));
}

void RuleDesk::perform(const fault::NodeAction& action) {
  if (on_halt) on_halt();
  if (action.verb == fault::NodeAction::Verb::hang) std::this_thread::sleep_for(action.duration);
  if (action.verb == fault::NodeAction::Verb::kill) ::kill(::getpid(), SIGKILL);
}

}  // namespace pnfs::target
