// hang TIME: the whole node stops reading, answering and keeping its leases for so long.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Hang final : public Action {
 public:
  explicit Hang(Duration time) : time_(time) {}
  bool apply(Firing& f) const override {
    if (f.actor == nullptr) return false;
    f.actor->perform({.verb = NodeAction::Verb::hang, .path = {}, .client = {}, .duration = time_});
    return true;
  }

 private:
  Duration time_;
};

}  // namespace

extern const ActionKind kHangAction{
    .name = "hang",
    .usage = "hang TIME",
    .where = "",
    .example = "on ds2 before COMMIT once do hang 30s",
    .allowed = [](const Place&) { return true; },
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      const auto time = parse_duration(words.peek_text());
      if (!time) return words.fail("a time like 500ms, 2s or 1m was expected after \"hang\"");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Hang>(*time));
    },
};

}  // namespace pnfs::fault
