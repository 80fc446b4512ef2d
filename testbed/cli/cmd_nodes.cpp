// pnfslab nodes: who belongs to the cluster, as corosync-quorumtool -l showed.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_nodes(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "nodes",
                     .help = "Show the cluster's members, their leases and reservation keys\n"
                             "Example: pnfslab nodes",
                     .by_file = false,
                     .by_client = false});
}

}  // namespace pnfs::cli
