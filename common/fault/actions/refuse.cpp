// refuse: a connection that just came is reset before anything is read from it.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Refuse final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.reset = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kRefuseAction{
    .name = "refuse",
    .usage = "refuse",
    .where = "it needs \"before connection.CONNECT\"",
    .example = "on ds2 before connection.CONNECT do refuse",
    .allowed = [](const Place& p) { return p.domain() == Domain::connection && p.points.front()->name == "CONNECT"; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Refuse>());
    },
};

}  // namespace pnfs::fault
