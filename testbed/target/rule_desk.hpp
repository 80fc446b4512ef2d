// The fault rules of a target process: what they may name, the engine that decides, and the commands that change them
// while it runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/fault/engine.hpp"
#include "testbed/target/rule_hook.hpp"
#include "testbed/target/server.hpp"
#include "testbed/target/target_trace.hpp"

namespace pnfs::target {

// A rule may also hang or kill the process; there is nothing to recall, and the target's restart is lose-cache.
class RuleDesk final : public fault::NodeActor {
 public:
  RuleDesk(const Clock& clock, uint64_t seed);

  std::function<void()> on_halt;  // a kill or a hang is to come at once: what is in memory is to be written

  // The rules in force from the start. `trace` may be null. Both outlive the desk's use.
  Result<void> start(Server& server, const std::vector<std::string>& rules, TargetTrace* trace);
  // "fault add RULE" and the like (common/fault/command.hpp).
  Result<std::string> command(std::string_view text);
  void perform(const fault::NodeAction& action) override;

 private:
  fault::Vocabulary vocabulary_;
  fault::Engine engine_;
  RuleHook hook_;
};

}  // namespace pnfs::target
