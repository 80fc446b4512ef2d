// pnfslab locks: the grants between nodes, as dlm_tool ls showed locks.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_locks(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "locks",
                     .help = "Show which node may touch which bytes (PR: shared, EX: exclusive)\n"
                             "Example: pnfslab locks --file 12",
                     .by_file = true,
                     .by_client = false});
}

}  // namespace pnfs::cli
