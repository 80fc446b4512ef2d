// corrupt [OFFSET [COUNT]]: turn over bits of the encoded reply, callback or record, at a place or anywhere.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Corrupt final : public Action {
 public:
  Corrupt(std::optional<uint64_t> offset, uint64_t count) : offset_(offset), count_(count) {}
  bool apply(Firing& f) const override {
    if (f.context.bytes == nullptr || f.context.bytes->empty()) return false;
    auto& bytes = *f.context.bytes;
    if (offset_ && *offset_ >= bytes.size()) return false;
    const uint64_t at = offset_ ? *offset_ : f.random.below(bytes.size());
    for (uint64_t i = 0; i < count_ && at + i < bytes.size(); ++i)
      bytes[at + i] ^= static_cast<std::byte>(1 + f.random.below(255));  // never 0: the byte changes
    f.verdict.changed = true;
    return true;
  }

 private:
  std::optional<uint64_t> offset_;
  uint64_t count_;
};

Result<std::unique_ptr<Action>> parse_corrupt(Words& words, const Place&) {
  const auto offset = xdr::parse_number(words.peek_text());
  uint64_t count = 1;
  if (offset) {
    words.take();
    if (const auto n = xdr::parse_number(words.peek_text())) {
      if (*n == 0) return words.fail("a count from 1 was expected");
      count = *n;
      words.take();
    }
  }
  return std::unique_ptr<Action>(std::make_unique<Corrupt>(offset, count));
}

}  // namespace

extern const ActionKind kCorruptAction{
    .name = "corrupt",
    .usage = "corrupt [OFFSET [COUNT]]",
    .where = "it needs encoded bytes: write \"reply\", or \"before connection.RECORD\"",
    .example = "reply GETDEVICEINFO once do corrupt 40 4",
    .allowed = &has_bytes,
    .parse = &parse_corrupt,
};

}  // namespace pnfs::fault
