// recall layouts|delegations [FILE], recall fsid|all, recall slots COUNT: take back what clients hold.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

constexpr uint64_t kMostSlots = 65536;

class Recall final : public Action {
 public:
  Recall(NodeAction::Verb verb, std::string path, uint32_t slots)
      : verb_(verb), path_(std::move(path)), slots_(slots) {}
  bool apply(Firing& f) const override {
    if (f.actor == nullptr) return false;
    f.actor->perform({.verb = verb_, .path = path_, .client = {}, .slots = slots_});
    return true;
  }

 private:
  NodeAction::Verb verb_;
  std::string path_;
  uint32_t slots_;
};

Result<std::unique_ptr<Action>> parse_recall(Words& words, const Place&) {
  NodeAction::Verb verb = NodeAction::Verb::recall_layouts;
  if (words.take_if("delegations")) {
    verb = NodeAction::Verb::recall_delegations;
  } else if (words.take_if("fsid")) {
    verb = NodeAction::Verb::recall_fsid;
  } else if (words.take_if("all")) {
    verb = NodeAction::Verb::recall_all;
  } else if (words.take_if("slots")) {
    verb = NodeAction::Verb::recall_slots;
  } else if (!words.take_if("layouts")) {
    return words.fail("\"layouts\", \"delegations\", \"fsid\", \"all\" or \"slots\" was expected after \"recall\"");
  }
  const bool one_file = verb == NodeAction::Verb::recall_layouts || verb == NodeAction::Verb::recall_delegations;
  std::string path;
  if (one_file && words.peek_text().starts_with('/')) path = words.take().text;
  uint32_t slots = 0;
  if (verb == NodeAction::Verb::recall_slots) {
    const auto count = xdr::parse_number(words.peek_text());
    if (!count || *count == 0 || *count > kMostSlots)
      return words.fail("a number of slots from 1 to 65536 was expected after \"slots\"");
    words.take();
    slots = static_cast<uint32_t>(*count);
  }
  return std::unique_ptr<Action>(std::make_unique<Recall>(verb, std::move(path), slots));
}

}  // namespace

extern const ActionKind kRecallAction{
    .name = "recall",
    .usage = "recall layouts|delegations [FILE] | fsid | all | slots COUNT",
    .where = "",
    .example = "on mds after LAYOUTGET nth=3 do recall layouts /dir/file",
    .allowed = [](const Place&) { return true; },
    .parse = &parse_recall,
};

}  // namespace pnfs::fault
