// restart: stop this node in good order and start it again.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Restart final : public Action {
 public:
  bool apply(Firing& f) const override {
    if (f.actor == nullptr) return false;
    f.actor->perform({.verb = NodeAction::Verb::restart, .path = {}, .client = {}});
    return true;
  }
};

}  // namespace

extern const ActionKind kRestartAction{
    .name = "restart",
    .usage = "restart",
    .where = "",
    .example = "on mds after LAYOUTCOMMIT once do restart",
    .allowed = [](const Place&) { return true; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Restart>());
    },
};

}  // namespace pnfs::fault
