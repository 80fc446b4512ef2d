// reset: the same as close with a TCP reset.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Reset final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.reset = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kResetAction{
    .name = "reset",
    .usage = "reset",
    .where = "block I/O has no connection of its own",
    .example = "before WRITE nth=5 do reset",
    .allowed = &has_connection,
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Reset>());
    },
};

}  // namespace pnfs::fault
