// reorder [TIMES]: let this many later replies or callbacks of the connection overtake this one.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Reorder final : public Action {
 public:
  explicit Reorder(uint32_t count) : count_(count) {}
  bool apply(Firing& f) const override {
    f.verdict.hold_behind += count_;
    return true;
  }

 private:
  uint32_t count_;
};

}  // namespace

extern const ActionKind kReorderAction{
    .name = "reorder",
    .usage = "reorder [TIMES]",
    .where = "only whole replies and callbacks can be: write \"reply\"",
    .example = "reply READ every=4 do reorder",
    .allowed = [](const Place& p) { return p.stage == Stage::reply; },
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      constexpr uint64_t kMost = 100;
      const auto count = xdr::parse_number(words.peek_text());
      if (!count) return std::unique_ptr<Action>(std::make_unique<Reorder>(1));
      if (*count == 0 || *count > kMost) return words.fail("a number from 1 to 100 was expected");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Reorder>(static_cast<uint32_t>(*count)));
    },
};

}  // namespace pnfs::fault
