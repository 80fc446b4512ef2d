// kill: this node is gone at once, as by kill -9.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Kill final : public Action {
 public:
  bool apply(Firing& f) const override {
    if (f.actor == nullptr) return false;
    f.actor->perform({.verb = NodeAction::Verb::kill, .path = {}, .client = {}});
    return true;
  }
};

}  // namespace

extern const ActionKind kKillAction{
    .name = "kill",
    .usage = "kill",
    .where = "",
    .example = "on ds1 before WRITE nth=10 do kill",
    .allowed = [](const Place&) { return true; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Kill>());
    },
};

}  // namespace pnfs::fault
