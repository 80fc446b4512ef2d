// blackhole: the connection stays, everything on it is read and ignored from now on.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class BlackHole final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.black_hole = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kBlackHoleAction{
    .name = "blackhole",
    .usage = "blackhole",
    .where = "it needs an NFS or control connection",
    .example = "on ds1 before connection.CONNECT from=10s do blackhole",
    .allowed = [](const Place& p) { return p.domain() != Domain::block && p.domain() != Domain::scsi; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<BlackHole>());
    },
};

}  // namespace pnfs::fault
