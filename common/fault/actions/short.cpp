// short BYTES: only the first so many bytes move, and the target answers GOOD.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Short final : public Action {
 public:
  explicit Short(uint32_t bytes) : bytes_(bytes) {}
  bool apply(Firing& f) const override {
    f.verdict.short_bytes = bytes_;
    return true;
  }

 private:
  uint32_t bytes_;
};

}  // namespace

extern const ActionKind kShortAction{
    .name = "short",
    .usage = "short BYTES",
    .where = "it needs a SCSI command: write \"before scsi.\" and its name",
    .example = "before scsi.READ(10) once do short 512",
    .allowed = [](const Place& p) { return p.domain() == Domain::scsi; },
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      const auto bytes = xdr::parse_number(words.peek_text());
      if (!bytes || *bytes > 0xffffffff) return words.fail("a number of bytes was expected after \"short\"");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Short>(static_cast<uint32_t>(*bytes)));
    },
};

}  // namespace pnfs::fault
