// duplicate [TIMES]: send the reply or callback again, this many times more.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Duplicate final : public Action {
 public:
  explicit Duplicate(uint32_t count) : count_(count) {}
  bool apply(Firing& f) const override {
    f.verdict.duplicate += count_;
    return true;
  }

 private:
  uint32_t count_;
};

}  // namespace

extern const ActionKind kDuplicateAction{
    .name = "duplicate",
    .usage = "duplicate [TIMES]",
    .where = "only whole replies and callbacks can be: write \"reply\"",
    .example = "reply CB_LAYOUTRECALL do duplicate 2",
    .allowed = [](const Place& p) { return p.stage == Stage::reply; },
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      constexpr uint64_t kMost = 100;
      const auto count = xdr::parse_number(words.peek_text());
      if (!count) return std::unique_ptr<Action>(std::make_unique<Duplicate>(1));
      if (*count == 0 || *count > kMost) return words.fail("a number from 1 to 100 was expected");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Duplicate>(static_cast<uint32_t>(*count)));
    },
};

}  // namespace pnfs::fault
