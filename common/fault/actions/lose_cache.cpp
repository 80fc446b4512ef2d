// lose-cache: the target forgets its volatile cache and all sessions, as by a power failure.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class LoseCache final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.lose_cache = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kLoseCacheAction{
    .name = "lose-cache",
    .usage = "lose-cache",
    .where = "it needs a SCSI command: write \"before scsi.\" and its name",
    .example = "before scsi.WRITE(10) nth=20 do lose-cache",
    .allowed = [](const Place& p) { return p.domain() == Domain::scsi; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<LoseCache>());
    },
};

}  // namespace pnfs::fault
