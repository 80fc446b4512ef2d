// drop request: as if it had never come. drop reply: it runs, is remembered, and nobody answers.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Drop final : public Action {
 public:
  explicit Drop(bool request) : request_(request) {}
  bool apply(Firing& f) const override {
    (request_ ? f.verdict.drop_request : f.verdict.drop_reply) = true;
    return true;
  }

 private:
  bool request_;
};

Result<std::unique_ptr<Action>> parse_drop(Words& words, const Place& place) {
  if (equal_ignoring_case(words.peek_text(), "request")) {
    if (place.stage != Stage::before)
      return words.fail("\"drop request\" is possible \"before\" only; write \"drop reply\"");
    words.take();
    return std::unique_ptr<Action>(std::make_unique<Drop>(true));
  }
  if (equal_ignoring_case(words.peek_text(), "reply")) {
    if (place.domain() == Domain::connection)
      return words.fail("nothing has been answered here: write \"drop request\"");
    words.take();
    return std::unique_ptr<Action>(std::make_unique<Drop>(false));
  }
  return words.fail("\"request\" or \"reply\" was expected after \"drop\"");
}

}  // namespace

extern const ActionKind kDropAction{
    .name = "drop",
    .usage = "drop request|reply",
    .where = "a connection that was just accepted has sent nothing yet",
    .example = "after WRITE once do drop reply",
    .allowed = [](const Place& p) { return !(p.domain() == Domain::connection && p.points.front()->name != "RECORD"); },
    .parse = &parse_drop,
};

}  // namespace pnfs::fault
