// The making of what hosts.hpp describes.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/namespace.hpp"
#include "testbed/kernel/netlink.hpp"
#include "testbed/lab/hosts.hpp"

namespace pnfs::lab {

namespace {

using kernel::Netlink;

Result<ScopedFd> own_network() {
  ScopedFd fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return error(Errc::io, "opening /proc/self/ns/net: {}", std::strerror(errno));
  return fd;
}

Result<void> enter(int network) {
  if (::setns(network, CLONE_NEWNET) != 0)
    return error(Errc::permission, "entering a network namespace: {}", std::strerror(errno));
  return {};
}

// The fd stays open at its number until the process ends: it is what keeps the host.
Result<void> make_namespace(int place) {
  if (::unshare(CLONE_NEWNET) != 0)
    return error(Errc::permission, "making a network namespace: {}", std::strerror(errno));
  const auto fd = own_network();
  if (!fd) return fd.error();
  if (::dup3(fd->get(), place, O_CLOEXEC) < 0)
    return error(Errc::io, "keeping a network namespace: {} (limit of open files?)", std::strerror(errno));
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  return netlink->set_up("lo");
}

// Called in the bridges' namespace, and back there afterwards.
Result<void> connect(Netlink& bridges, int home, int place, const std::string& host, const std::string& network,
                     const std::string& address) {
  if (address.empty()) return {};
  const std::string port = fmt::format("{}-{}", network, host);
  if (auto done = bridges.add_veth(port, network, place); !done) return done;
  if (auto done = bridges.plug(port, network); !done) return done;
  if (auto done = bridges.set_up(port); !done) return done;
  if (auto done = enter(place); !done) return done;
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (auto done = netlink->add_address(network, address, kHostPrefix); !done) return done;
  if (auto done = netlink->set_up(network); !done) return done;
  return enter(home);
}

}  // namespace

Result<void> make_host_network(const std::vector<Host>& hosts) {
  if (auto done = kernel::enter_network_namespace(); !done) return done;
  const auto home = own_network();
  if (!home) return home.error();
  auto bridges = Netlink::open();
  if (!bridges) return bridges.error();
  for (const char* name : {"san", "nfs"}) {
    if (auto done = bridges->add_bridge(name); !done) return done;
    if (auto done = bridges->set_up(name); !done) return done;
  }
  for (size_t i = 0; i < hosts.size(); ++i) {
    const int place = kFirstHostFd + int(i);
    if (auto done = make_namespace(place); !done) return done.error().with_context(hosts[i].name);
    if (auto done = enter(home->get()); !done) return done;
    for (const auto& [network, address] : {std::pair("san", hosts[i].san), std::pair("nfs", hosts[i].nfs)})
      if (auto done = connect(*bridges, home->get(), place, hosts[i].name, network, address); !done)
        return done.error().with_context(hosts[i].name);
  }
  return {};
}

}  // namespace pnfs::lab
