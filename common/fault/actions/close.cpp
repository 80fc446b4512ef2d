// close: close the connection without answering.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Close final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.close = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kCloseAction{
    .name = "close",
    .usage = "close",
    .where = "block I/O has no connection of its own",
    .example = "reply * compound=LAYOUTGET do close",
    .allowed = &has_connection,
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Close>());
    },
};

}  // namespace pnfs::fault
