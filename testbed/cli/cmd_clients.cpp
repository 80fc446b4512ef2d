// pnfslab clients: the clients of all servers.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_clients(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "clients",
                     .help = "Show the clients of every server: lease, sessions, what they hold\n"
                             "Example: pnfslab clients",
                     .by_file = false,
                     .by_client = true});
}

}  // namespace pnfs::cli
