// logout: the command is carried out, then the target asks the initiator to log out (RFC 7143 11.9.1).
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Logout final : public Action {
 public:
  bool apply(Firing& f) const override {
    f.verdict.logout = true;
    return true;
  }
};

}  // namespace

extern const ActionKind kLogoutAction{
    .name = "logout",
    .usage = "logout",
    .where = "it needs a SCSI command: write \"before scsi.\" and its name",
    .example = "before scsi.READ(10) once do logout",
    .allowed = [](const Place& p) { return p.domain() == Domain::scsi; },
    .parse = [](Words&, const Place&) -> Result<std::unique_ptr<Action>> {
      return std::unique_ptr<Action>(std::make_unique<Logout>());
    },
};

}  // namespace pnfs::fault
