// `pnfslab locks`, in the manner of `dlm_tool ls`: the lock space, then the grants of each file (PR: shared, EX:
// exclusive).
#include "testbed/live/text.hpp"

namespace pnfs::live {

namespace {

// The id of a lock space: as dlm does it, 32 bits made from the name's owner; here the start of the volume's UUID.
std::string lockspace_id(const Row& mds) {
  const std::string uuid = mds.is_object() && mds.contains("volume") ? mds["volume"].value("uuid", "") : "";
  return "0x" + (uuid.size() >= 8 ? uuid.substr(0, 8) : std::string("00000000"));
}

std::string bytes_of(const Row& row) {
  std::string text = human_range(row);
  if (row.value("stripe_count", 1) > 1)
    text += fmt::format(", stripes {} of {} by {}", join(row["stripe_indices"], ","), row.value("stripe_count", 1),
                        human_bytes(row.value("stripe_bytes", uint64_t{0})));
  return text;
}

}  // namespace

std::string locks_text(const Rows& rows, const Row& mds, const Rows& nodes) {
  std::map<uint64_t, std::string> names;
  std::string members;
  for (const Row& row : nodes.rows) {
    names[row.value("node", uint64_t{0})] = row.value("name", "");
    if (row.value("role", "") == "ds" && row.value("state", "") == "member") members += cell(row, "node") + " ";
  }
  std::string out = "pnfslab lockspaces\n";
  out += fmt::format("name          {}\n", mds.is_object() && mds.contains("volume") ? cell(mds["volume"], "name") : "-");
  out += fmt::format("id            {}\n", lockspace_id(mds));
  out += fmt::format("epoch         {}\n", mds.is_object() ? cell(mds, "epoch") : "-");
  out += fmt::format("members       {}\n", members.empty() ? "none" : members);
  std::map<uint64_t, Columns> files;
  for (const Row& row : rows.rows) {
    const std::string name = names[row.value("node", uint64_t{0})];
    const auto [at, fresh] =
        files.try_emplace(row.value("fileid", uint64_t{0}),
                          Columns({">id", "mode", "node", "state", "bytes"}));
    at->second.add({cell(row, "id"), cell(row, "mode"), name, cell(row, "state"), bytes_of(row)});
  }
  for (const auto& [fileid, columns] : files) out += fmt::format("\nfile {}\n{}", fileid, columns.text(2));
  return out;
}

}  // namespace pnfs::live
