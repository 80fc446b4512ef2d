// pnfslab devices: what device ids stand for.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_devices(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "devices",
                     .help = "Show what the device ids in layouts stand for: data servers, addresses, stripe indices\n"
                             "Example: pnfslab devices",
                     .by_file = false,
                     .by_client = false});
}

}  // namespace pnfs::cli
