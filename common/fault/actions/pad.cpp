// pad BYTES: add so many zero bytes behind the encoded reply, callback or record.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Pad final : public Action {
 public:
  explicit Pad(uint64_t bytes) : bytes_(bytes) {}
  bool apply(Firing& f) const override {
    if (f.context.bytes == nullptr) return false;
    f.context.bytes->resize(f.context.bytes->size() + bytes_);
    f.verdict.changed = true;
    return true;
  }

 private:
  uint64_t bytes_;
};

}  // namespace

extern const ActionKind kPadAction{
    .name = "pad",
    .usage = "pad BYTES",
    .where = "it needs encoded bytes: write \"reply\", or \"before connection.RECORD\"",
    .example = "reply GETATTR once do pad 4",
    .allowed = &has_bytes,
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      constexpr uint64_t kMost = 16u << 20;
      const auto bytes = xdr::parse_number(words.peek_text());
      if (!bytes || *bytes == 0 || *bytes > kMost)
        return words.fail("a number of bytes from 1 to 16777216 was expected after \"pad\"");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Pad>(*bytes));
    },
};

}  // namespace pnfs::fault
