#include "testbed/lab/host_network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/namespace.hpp"

namespace pnfs::lab {

namespace {

using kernel::Netlink;

// Of the network namespace that this process is in.
Result<ScopedFd> own_network(int place) {
  const ScopedFd here(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!here) return error(Errc::io, "opening /proc/self/ns/net: {}", std::strerror(errno));
  ScopedFd fd(::fcntl(here.get(), F_DUPFD_CLOEXEC, place));
  if (!fd) return error(Errc::io, "keeping a network namespace: {} (limit of open files?)", std::strerror(errno));
  if (fd.get() != place) return error(Errc::busy, "the descriptor {} is in use", place);
  return fd;
}

Result<void> enter(int network) {
  if (::setns(network, CLONE_NEWNET) != 0)
    return error(Errc::permission, "entering a network namespace: {}", std::strerror(errno));
  return {};
}

// Names of interfaces are looked up where this process is, which after a host is where the bridges are.
struct BackAtTheBridges {
  ~BackAtTheBridges() { (void)enter(kSwitchFd); }
};

Result<ScopedFd> make_namespace(int place) {
  const BackAtTheBridges back;
  if (::unshare(CLONE_NEWNET) != 0)
    return error(Errc::permission, "making a network namespace: {}", std::strerror(errno));
  auto fd = own_network(place);
  if (!fd) return fd.error();
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (auto done = netlink->set_up("lo"); !done) return done.error();
  return fd;
}

std::string port_of(const std::string& host, const std::string& network) {
  return fmt::format("{}-{}", network, host);
}

Result<void> connect(Netlink& bridges, const Host& host, const std::string& network, const std::string& address) {
  if (address.empty()) return {};
  const std::string port = port_of(host.name, network);
  const int place = host_fd(host.name);
  if (auto done = bridges.add_veth(port, network, place); !done) return done;
  if (auto done = bridges.plug(port, network); !done) return done;
  if (auto done = bridges.set_up(port); !done) return done;
  const BackAtTheBridges back;
  if (auto done = enter(place); !done) return done;
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (auto done = netlink->add_address(network, address, kHostPrefix); !done) return done;
  return netlink->set_up(network);
}

}  // namespace

Result<HostNetwork> HostNetwork::make(unsigned data_servers) {
  if (auto done = kernel::enter_network_namespace(); !done) return done.error();
  auto home = own_network(kSwitchFd);
  if (!home) return home.error();
  auto bridges = Netlink::open();
  if (!bridges) return bridges.error();
  for (const char* name : {"san", "nfs"}) {
    if (auto done = bridges->add_bridge(name); !done) return done.error();
    if (auto done = bridges->set_up(name); !done) return done.error();
  }
  HostNetwork network(std::move(*home), std::move(*bridges));
  for (const Host& host : hosts_with(data_servers))
    if (auto done = network.add(host); !done) return done.error();
  return network;
}

Result<std::string> HostNetwork::obey(std::string_view command) {
  const size_t space = command.find(' ');
  const std::string_view verb = command.substr(0, space);
  if (space == command.npos || (verb != "add" && verb != "remove"))
    return error(Errc::invalid, "'{}': expected add HOST or remove HOST", command);
  const auto host = find_host(command.substr(space + 1));
  if (!host) return host.error();
  if (!host->name.starts_with("ds"))
    return error(Errc::invalid, "{} is there as long as the network is; data servers come and go", host->name);
  const auto done = verb == "add" ? add(*host) : remove(*host);
  return done ? Result<std::string>(std::string()) : done.error();
}

Result<void> HostNetwork::add(const Host& host) {
  if (hosts_.contains(host.name)) return error(Errc::busy, "there is a host {} already", host.name);
  auto fd = make_namespace(host_fd(host.name));
  if (!fd) return fd.error().with_context(host.name);
  hosts_.emplace(host.name, std::move(*fd));
  for (const auto& [network, address] : {std::pair("san", host.san), std::pair("nfs", host.nfs)}) {
    auto done = connect(bridges_, host, network, address);
    if (done) continue;
    (void)remove(host);
    return done.error().with_context(host.name);
  }
  return {};
}

Result<void> HostNetwork::remove(const Host& host) {
  const auto fd = hosts_.extract(host.name);
  if (fd.empty()) return error(Errc::not_found, "there is no host {}", host.name);
  // Its cables first: the kernel tears a namespace down later, once nothing runs in it any more, and until then their
  // names would be taken.
  Result<void> outcome;
  for (const char* network : {"san", "nfs"})
    if (auto done = bridges_.remove(port_of(host.name, network)); !done) outcome = done;
  return outcome;
}

}  // namespace pnfs::lab
