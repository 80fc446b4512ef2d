// pnfslab opens: opens, byte-range locks, delegations, and who waits for a lock.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_opens(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "opens",
                     .help = "Show opens, byte-range locks, delegations, and who waits for a lock\n"
                             "Example: pnfslab opens --file 12",
                     .by_file = true,
                     .by_client = true});
}

}  // namespace pnfs::cli
