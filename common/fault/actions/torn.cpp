// torn BYTES: only the first so many bytes are written, and the target answers MEDIUM ERROR.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Torn final : public Action {
 public:
  explicit Torn(uint32_t bytes) : bytes_(bytes) {}
  bool apply(Firing& f) const override {
    f.verdict.torn_bytes = bytes_;
    return true;
  }

 private:
  uint32_t bytes_;
};

}  // namespace

extern const ActionKind kTornAction{
    .name = "torn",
    .usage = "torn BYTES",
    .where = "it needs a SCSI command: write \"before scsi.\" and its name",
    .example = "before scsi.WRITE(10) nth=3 do torn 4096",
    .allowed = [](const Place& p) { return p.domain() == Domain::scsi; },
    .parse = [](Words& words, const Place&) -> Result<std::unique_ptr<Action>> {
      const auto bytes = xdr::parse_number(words.peek_text());
      if (!bytes || *bytes > 0xffffffff) return words.fail("a number of bytes was expected after \"torn\"");
      words.take();
      return std::unique_ptr<Action>(std::make_unique<Torn>(static_cast<uint32_t>(*bytes)));
    },
};

}  // namespace pnfs::fault
