// notify change|delete: tell clients that the devices they know changed, or are gone.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Notify final : public Action {
 public:
  explicit Notify(NodeAction::Verb verb) : verb_(verb) {}
  bool apply(Firing& f) const override {
    if (f.actor == nullptr) return false;
    f.actor->perform({.verb = verb_, .path = {}, .client = {}});
    return true;
  }

 private:
  NodeAction::Verb verb_;
};

Result<std::unique_ptr<Action>> parse_notify(Words& words, const Place&) {
  NodeAction::Verb verb = NodeAction::Verb::notify_change;
  if (words.take_if("delete")) {
    verb = NodeAction::Verb::notify_delete;
  } else if (!words.take_if("change")) {
    return words.fail("\"change\" or \"delete\" was expected after \"notify\"");
  }
  return std::unique_ptr<Action>(std::make_unique<Notify>(verb));
}

}  // namespace

extern const ActionKind kNotifyAction{
    .name = "notify",
    .usage = "notify change|delete",
    .where = "",
    .example = "on mds after LOOKUP objname=now once do notify delete",
    .allowed = [](const Place&) { return true; },
    .parse = &parse_notify,
};

}  // namespace pnfs::fault
