// truncate BYTES: cut so many bytes off the end of the encoded reply, callback or record.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Truncate final : public Action {
 public:
  explicit Truncate(uint64_t bytes) : bytes_(bytes) {}
  bool apply(Firing& f) const override {
    if (f.context.bytes == nullptr || f.context.bytes->empty()) return false;
    auto& bytes = *f.context.bytes;
    bytes.resize(bytes.size() - std::min<uint64_t>(bytes_, bytes.size()));
    f.verdict.changed = true;
    return true;
  }

 private:
  uint64_t bytes_;
};

}  // namespace

extern const ActionKind kTruncateAction{
    .name = "truncate",
    .usage = "truncate BYTES",
    .where = "it needs encoded bytes: write \"reply\", or \"before connection.RECORD\"",
    .example = "reply LAYOUTGET once do truncate 8",
    .allowed = &has_bytes,
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      const auto bytes = xdr::parse_number(words.peek_text());
      if (!bytes || *bytes == 0) return words.fail("a number of bytes from 1 was expected after \"truncate\"");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Truncate>(*bytes));
    },
};

}  // namespace pnfs::fault
