// delay TIME: wait before going on.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Delay final : public Action {
 public:
  explicit Delay(Duration by) : by_(by) {}
  bool apply(Firing& f) const override {
    f.verdict.delay += by_;
    return true;
  }

 private:
  Duration by_;
};

}  // namespace

extern const ActionKind kDelayAction{
    .name = "delay",
    .usage = "delay TIME",
    .where = "",
    .example = "on ds1 before READ every=3 do delay 2s",
    .allowed = [](const Place&) { return true; },
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      const auto by = parse_duration(words.peek_text());
      if (!by) return words.fail("a time like 500ms, 2s or 1m was expected after \"delay\"");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Delay>(*by));
    },
};

}  // namespace pnfs::fault
