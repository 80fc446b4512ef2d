// The subcommands that show one state table of the running servers (common/live/LIVE.md): cmd_nodes.cpp, cmd_locks.cpp,
// ... each say what theirs is. CLI11 is included by table_command.cpp alone, which keeps them quick to compile.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace pnfs::cli {

using Action = std::function<int()>;

struct TableCommand {
  const char* table;
  const char* help;  // with its example
  bool by_file = false;
  bool by_client = false;
};
void add_table_command(CLI::App& app, Action& action, const TableCommand& command);

void add_nodes(CLI::App& app, Action& action);
void add_locks(CLI::App& app, Action& action);
void add_clients(CLI::App& app, Action& action);
void add_sessions(CLI::App& app, Action& action);
void add_opens(CLI::App& app, Action& action);
void add_layouts(CLI::App& app, Action& action);
void add_devices(CLI::App& app, Action& action);
void add_top(CLI::App& app, Action& action);

}  // namespace pnfs::cli
