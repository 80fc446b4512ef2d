// recall layouts|delegations [FILE], recall fsid|all: take back what clients hold, of one file or all.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Recall final : public Action {
 public:
  Recall(NodeAction::Verb verb, std::string path) : verb_(verb), path_(std::move(path)) {}
  bool apply(Firing& f) const override {
    if (f.actor == nullptr) return false;
    f.actor->perform({.verb = verb_, .path = path_, .client = {}});
    return true;
  }

 private:
  NodeAction::Verb verb_;
  std::string path_;
};

Result<std::unique_ptr<Action>> parse_recall(Words& words, const Place&) {
  NodeAction::Verb verb = NodeAction::Verb::recall_layouts;
  if (words.take_if("delegations")) {
    verb = NodeAction::Verb::recall_delegations;
  } else if (words.take_if("fsid")) {
    verb = NodeAction::Verb::recall_fsid;
  } else if (words.take_if("all")) {
    verb = NodeAction::Verb::recall_all;
  } else if (!words.take_if("layouts")) {
    return words.fail("\"layouts\", \"delegations\", \"fsid\" or \"all\" was expected after \"recall\"");
  }
  const bool one_file = verb == NodeAction::Verb::recall_layouts || verb == NodeAction::Verb::recall_delegations;
  std::string path;
  if (one_file && words.peek_text().starts_with('/')) path = words.take().text;
  return std::unique_ptr<Action>(std::make_unique<Recall>(verb, std::move(path)));
}

}  // namespace

extern const ActionKind kRecallAction{
    .name = "recall",
    .usage = "recall layouts|delegations [FILE] | fsid | all",
    .where = "",
    .example = "on mds after LAYOUTGET nth=3 do recall layouts /dir/file",
    .allowed = [](const Place&) { return true; },
    .parse = &parse_recall,
};

}  // namespace pnfs::fault
