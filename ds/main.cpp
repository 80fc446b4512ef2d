// pnfs-ds: one data server as a process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "ds/process.hpp"

namespace {

constexpr int kUsageFailure = 2;

}  // namespace

int main(int argc, char** argv) {
  using namespace pnfs::ds;
  CommandLine line;
  CLI::App app("pnfs-ds: a data server of a pnfslab cluster. It joins the cluster at its MDS and serves READ, WRITE and "
               "COMMIT of files layouts straight from the shared volume.");
  app.add_option("--config", line.config, "Configuration file (TOML), table [ds]; options override it")->type_name("FILE");
  app.add_option("--node", line.node, "Name of this node, one of the volume's node slots (default ds1)")->type_name("NAME");
  app.add_option("--listen", line.listen, "Where clients are served; may be given more than once")->type_name("ADDR:PORT");
  app.add_option("--advertise", line.advertise,
                 "Address to name in device addresses instead of the client's own view of the MDS")
      ->type_name("ADDR:PORT");
  app.add_option("--mds", line.mds, "The metadata server")->type_name("ADDR:PORT");
  app.add_option("--store", line.store, "The volume")->type_name("iscsi://...");
  app.add_option("--initiator-name", line.initiator_name, "iSCSI initiator name")->type_name("IQN");
  app.add_option("--state-socket", line.state_socket, "Unix socket that takes listening sockets from other namespaces")
      ->type_name("PATH");
  app.add_option("--trace", line.trace, "Append one JSON line for each operation")->type_name("FILE");
  app.add_option("--ready-fd", line.ready_fd, "Write \"ready\" to this descriptor once serving")->type_name("FD");
  app.add_option("--log-level", line.log_level, "trace, debug, info, warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
  app.add_flag("--strict-seqid", line.strict_seqid, "Refuse stateids whose seqid is not 0 (RFC 8881 13.9.1)");
  app.footer("Example:\n  pnfs-ds --node ds1 --listen 127.0.0.1:12050 --mds 127.0.0.1:12049 \\\n"
             "          --store iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:volume/1");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : kUsageFailure;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("pnfs-ds"));
  const auto options = read_options(line);
  if (!options) {
    std::cerr << "pnfs-ds: " << options.error().reason << "\n";
    return kUsageFailure;
  }
  spdlog::set_level(spdlog::level::from_str(options->log_level));
  return run_process(*options);
}
