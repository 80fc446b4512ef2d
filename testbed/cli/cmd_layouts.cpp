// pnfslab layouts: who holds which layout.
#include "testbed/cli/table_command.hpp"

namespace pnfs::cli {

void add_layouts(CLI::App& app, Action& action) {
  add_table_command(app, action,
                    {.table = "layouts",
                     .help = "Show who holds which layout, and recalls that are under way\n"
                             "Example: pnfslab layouts --json",
                     .by_file = true,
                     .by_client = true});
}

}  // namespace pnfs::cli
