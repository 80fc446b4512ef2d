// pnfslab network: the process that holds the network of a lab's hosts. Started by `up`, not by hand.
#include <unistd.h>

#include <csignal>

#include "testbed/cli/command.hpp"
#include "testbed/lab/hosts.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  unsigned data_servers = 2;
  int ready_fd = -1;
};

int hold(const Options& options) {
  // Made before anything else may come between.
  sigset_t ending;
  sigemptyset(&ending);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ending, number);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  if (auto made = lab::make_host_network(lab::hosts_with(options.data_servers)); !made)
    return report("network", made.error());
  if (options.ready_fd >= 0) {
    if (::write(options.ready_fd, "ready\n", 6) != 6) return kExitFailed;
    ::close(options.ready_fd);
  }
  int number = 0;
  sigwait(&ending, &number);
  return 0;
}

}  // namespace

void add_network(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("network",
                                 "Hold the network of hosts of a lab until ended; `up --topology hosts` starts it\n"
                                 "Example: pnfslab network --data-servers 2");
  sub->group("");
  auto options = std::make_shared<Options>();
  sub->add_option("--data-servers", options->data_servers, "How many")
      ->check(CLI::Range(1u, lab::kMostHostDataServers))
      ->capture_default_str();
  sub->add_option("--ready-fd", options->ready_fd, "Write \"ready\" to this descriptor when it is made")
      ->type_name("FD");
  sub->callback([options, &action] { action = [options] { return hold(*options); }; });
}

}  // namespace pnfs::cli
