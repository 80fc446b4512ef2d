// `pnfslab nodes`, in the manner of corosync-quorumtool -l.
#include "testbed/live/text.hpp"

namespace pnfs::live {

std::string nodes_text(const Rows& rows) {
  size_t members = 0, expected = 0;
  Columns columns({">Nodeid", "State", ">Lease", "Key", "Address", "Name"});
  for (const Row& row : rows.rows) {
    const std::string state = cell(row, "state");
    const bool ds = row.value("role", "") == "ds";
    if (ds) ++expected;
    if (ds && state == "member") ++members;
    std::string lease = cell(row, "lease_left_s");
    if (lease != "-") lease += " s";
    columns.add({cell(row, "node"), state + (row.value("draining", false) ? ", draining" : ""), lease, cell(row, "key"),
                 cell(row, "addresses"), cell(row, "name") + (ds ? "" : " (metadata server)")});
  }
  return fmt::format(
      "Membership information\n"
      "----------------------\n"
      "{}\n"
      "Data servers: {} known, {} serving\n",
      columns.text(2), expected, members);
}

}  // namespace pnfs::live
