// lie: the target answers GOOD and does nothing.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Lie final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.lie = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kLieAction{
    .name = "lie",
    .usage = "lie",
    .where = "it needs a SCSI command: write \"before scsi.\" and its name",
    .example = "before scsi.SYNCHRONIZE_CACHE(10) do lie",
    .allowed = [](const Place& p) { return p.domain() == Domain::scsi; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Lie>());
    },
};

}  // namespace pnfs::fault
