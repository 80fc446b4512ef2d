// pnfslab: everything a person types.
#include <csignal>

#include "testbed/cli/command.hpp"
#include "testbed/cli/table_command.hpp"

int main(int argc, char** argv) {
  using namespace pnfs::cli;
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app{
      "pnfslab: a pNFS server that you can start in one command and break at will.\n"
      "Example:\n"
      "  pnfslab up --data-servers 2\n"
      "  pnfslab client -- sh -c 'echo hello >/mnt/pnfs/file; cat /mnt/pnfs/file'\n"
      "  pnfslab down",
      "pnfslab"};
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  Action action;
  add_up(app, action);
  add_down(app, action);
  add_status(app, action);
  add_nodes(app, action);
  add_locks(app, action);
  add_clients(app, action);
  add_sessions(app, action);
  add_opens(app, action);
  add_layouts(app, action);
  add_devices(app, action);
  add_top(app, action);
  add_client(app, action);
  add_fault(app, action);
  add_exec(app, action);
  add_net(app, action);
  add_network(app, action);
  add_run(app, action);
  add_ds(app, action);
  add_dlm_device(app, action);
  add_trace(app, action);
  add_report(app, action);
  add_capture(app, action);
  add_mkfs(app, action);
  add_fsck(app, action);
  add_inspect(app, action);
  add_probe(app, action);
  add_kernel(app, action);
  add_quickstart(app, action);
  add_target(app, action);
  add_bench(app, action);
  add_man(app, action);
  add_completion(app, action);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : kExitUsage;
  }
  return action();
}
