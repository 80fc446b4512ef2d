// pnfslab sessions: the NFSv4.1 sessions of all servers.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_sessions(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "sessions",
                     .help = "Show the NFSv4.1 sessions of every server: slots, back channel, connections\n"
                             "Example: pnfslab sessions --json | jq '.rows[] | {at, clientid, back_channel}'",
                     .by_file = false,
                     .by_client = true});
}

}  // namespace pnfs::cli
