// pnfslab network: the process that holds the network of a lab's hosts. Started by `up`, not by hand.
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "common/base/ready.hpp"
#include "common/io/as_tuple_task.hpp"
#include "common/io/listener_inbox.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/host_network.hpp"
#include "testbed/lab/run_on.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  unsigned data_servers = 2;
  std::string socket;
  int ready_fd = -1;
};

io::Task<Result<void>> until_ended(boost::asio::signal_set& ending, io::ListenerInbox& inbox, int ready_fd) {
  auto told = tell_ready(ready_fd);
  if (told) co_await ending.async_wait(io::as_tuple_task);
  inbox.stop();
  co_await inbox.join();
  co_return told;
}

int hold(const Options& options) {
  boost::asio::io_context context(1);
  // Before anything else may come between.
  boost::asio::signal_set ending(context, SIGTERM, SIGINT, SIGHUP);
  auto network = lab::HostNetwork::make(options.data_servers);
  if (!network) return report("network", network.error());
  const SystemClock clock;
  io::AsioTimers timers(context.get_executor(), clock);
  auto inbox = io::ListenerInbox::open(context, timers, options.socket, nullptr,
                                       [&](std::string_view command) { return network->obey(command); });
  if (!inbox) return report("network", inbox.error());
  const auto ended = lab::run_on(context, until_ended(ending, **inbox, options.ready_fd));
  return ended ? 0 : report("network", ended.error());
}

}  // namespace

void add_network(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("network",
                                 "Hold the network of hosts of a lab until ended; `up --topology hosts` starts it\n"
                                 "Example: pnfslab network --data-servers 2 --socket /tmp/network.sock");
  sub->group("");
  auto options = std::make_shared<Options>();
  sub->add_option("--data-servers", options->data_servers, "How many")
      ->check(CLI::Range(1u, lab::kMostHostDataServers))
      ->capture_default_str();
  sub->add_option("--socket", options->socket, "Where `pnfslab ds` tells it of data servers that come and go")
      ->required();
  sub->add_option("--ready-fd", options->ready_fd, "Write \"ready\" to this descriptor when it is made")
      ->type_name("FD");
  sub->callback([options, &action] { action = [options] { return hold(*options); }; });
}

}  // namespace pnfs::cli
