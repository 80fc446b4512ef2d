#include "testbed/lab/net_control.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "testbed/lab/container_faults.hpp"
#include "testbed/lab/daemon.hpp"
#include "testbed/lab/lab.hpp"

namespace pnfs::lab {

namespace {

using Verb = NetFault::Verb;

Result<void> run_script(const LabState& lab, const std::string& host, const std::string& script) {
  if (script.empty()) return {};
  auto namespaces = host_namespaces(lab, host);
  if (!namespaces) return namespaces.error();
  auto done = run_to_end({.command = {"/bin/sh", "-c", script},
                          .log_file = lab.log_file("network"),
                          .namespaces = std::move(*namespaces)});
  if (!done) return done.error().with_context(fmt::format("in the network of {} (packages nftables, iproute2)", host));
  return {};
}

// What is done at the bridges: cables and switches.
std::string bridge_script(const NetFault& fault, const std::vector<Host>& hosts) {
  const char* state = fault.verb == Verb::heal ? "up" : "down";
  std::string script = "set -e\n";
  // A whole network.
  if (fault.host.empty())
    for (const char* network : {"san", "nfs"})
      if (fault.network.empty() || fault.network == network)
        script += fmt::format("ip link set {} {}\n", network, state);
  if (fault.host.empty() && fault.verb == Verb::partition) return script;
  for (const Host& host : hosts)
    for (const std::string& network : networks_of(fault, host))
      script += fmt::format("ip link set {}-{} {}\n", network, host.name, state);
  return script;
}

Result<void> signal_server(const Server& server, int number) {
  if (!is_running(server)) return error(Errc::not_found, "{} does not run", server.name);
  if (::kill(server.pid, number) != 0)
    return error(Errc::permission, "signalling {} (pid {}): {}", server.name, server.pid, std::strerror(errno));
  if (number != SIGKILL) return {};
  for (int i = 0; i < 500 && is_running(server); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return {};
}

Result<void> apply_to_process(LabState& lab, const NetFault& fault) {
  if (fault.verb == Verb::start) return start_again(lab, fault.host);
  const Server* server = lab.find(fault.host);
  if (server == nullptr) return error(Errc::not_found, "no server of this lab runs on the host '{}'", fault.host);
  const int number = fault.verb == Verb::pause ? SIGSTOP : fault.verb == Verb::resume ? SIGCONT : SIGKILL;
  return signal_server(*server, number);
}

}  // namespace

Result<void> apply(LabState& lab, const NetFault& fault) {
  if (lab.containers) return apply_to_containers(lab, fault);
  if (fault.verb == Verb::pause || fault.verb == Verb::resume || fault.verb == Verb::kill || fault.verb == Verb::start)
    return apply_to_process(lab, fault);
  if (!lab.network) {
    return error(Errc::invalid,
                 "the servers of this lab share one network; hosts come with: pnfslab up --topology hosts");
  }
  std::vector<Host> hosts;
  for (Host& host : hosts_of(lab))
    if (fault.host.empty() || host.name == fault.host) hosts.push_back(std::move(host));
  if (hosts.empty()) return error(Errc::not_found, "this lab has no host '{}'", fault.host);
  if (fault.verb == Verb::partition || fault.verb == Verb::heal)
    if (auto done = run_script(lab, "switch", bridge_script(fault, hosts)); !done) return done;
  if (fault.verb == Verb::partition) return {};
  for (const Host& host : hosts)
    if (auto done = run_script(lab, host.name, host_script(fault, host)); !done) return done;
  return {};
}

}  // namespace pnfs::lab
