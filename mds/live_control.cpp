// What people order a running metadata server to do, beside fault rules: see live.hpp.
#include "common/xdr/field_text.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "mds/live.hpp"
#include "mds/mds.hpp"
#include "mds/namespace/names.hpp"
#include "mds/recall_rules.hpp"

namespace pnfs::mds {

namespace {

using Verb = fault::NodeAction::Verb;

std::string_view take_word(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  return word;
}

Result<std::string> order_slots(Mds& mds, std::string_view words) {
  const auto count = xdr::parse_number(words);
  if (!count || *count == 0 || *count > UINT32_MAX)
    return error(Errc::invalid, "recall slots: \"{}\" is no number of slots from 1 on", words);
  mds.recall_slots(static_cast<uint32_t>(*count));
  return std::string();
}

Result<std::string> order_recall(Mds& mds, std::string_view words) {
  const std::string_view what = take_word(words);
  fault::NodeAction action{};
  if (what == "layouts") {
    action.verb = Verb::recall_layouts;
  } else if (what == "delegations") {
    action.verb = Verb::recall_delegations;
  } else if (what == "fsid") {
    action.verb = Verb::recall_fsid;
  } else if (what == "all") {
    action.verb = Verb::recall_all;
  } else if (what == "slots") {
    return order_slots(mds, words);
  } else {
    return error(Errc::invalid, "recall: \"{}\" is none of layouts, delegations, fsid, all, slots", what);
  }
  const bool one_file = action.verb == Verb::recall_layouts || action.verb == Verb::recall_delegations;
  if (!words.empty() && !one_file) return error(Errc::invalid, "recall {}: takes no file", what);
  if (!words.empty() && !words.starts_with('/'))
    return error(Errc::invalid, "recall {}: \"{}\" is no path from the root of the export", what, words);
  action.path = words;
  if (!action.path.empty() && find_path(mds.catalog(), action.path) == 0)
    return error(Errc::invalid, "recall {}: there is no file '{}'", what, words);
  recall(mds, action);
  return std::string();
}

Result<std::string> order_grace(Mds& mds, std::string_view words) {
  const bool active = mds.in_grace();
  if (words == "end") {
    if (!active) return error(Errc::invalid, "grace: there is no grace period to end");
    mds.grace().end_now();
    (void)mds.in_grace();
    return std::string();
  }
  if (!words.empty()) return error(Errc::invalid, "grace: \"{}\" is not \"end\"", words);
  if (!active) return std::string("none\n");
  const auto left = mds.grace().until() - mds.seams().clock.now();
  return fmt::format("active, {:.1f} s left, waiting for {} clients\n", std::chrono::duration<double>(left).count(),
                     mds.grace().waiting_for());
}

}  // namespace

bool is_control(std::string_view text) {
  return text == "control" || text.starts_with("control ");
}

Result<std::string> control(Mds& mds, std::string_view text) {
  take_word(text);
  const std::string_view what = take_word(text);
  if (what == "recall") return order_recall(mds, text);
  if (what == "grace") return order_grace(mds, text);
  if (what == "pnfs_dlm_device") {
    auto& pnfs = layout::pnfs_of(mds);
    if (text.empty()) return pnfs.dlm_devices().text();
    if (auto taken = pnfs.write_dlm_device(text); !taken) return taken.error();
    return std::string();
  }
  return error(Errc::invalid, "control: \"{}\" is none of pnfs_dlm_device, recall, grace", what);
}

}  // namespace pnfs::mds
