// Interfaces of a network namespace (the one in which open() was called), by rtnetlink: no ip program is needed, and no
// fork. Names are looked up where the caller is at the time.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/base/scoped_fd.hpp"

namespace pnfs::kernel {

class Netlink {
 public:
  static Result<Netlink> open();

  // Two joined interfaces, both down; the peer in another namespace when a descriptor of one is given.
  Result<void> add_veth(const std::string& name, const std::string& peer, int peer_namespace = -1);
  Result<void> add_bridge(const std::string& name);
  // With its peer, where it has one, wherever that is. Nothing when there is none of that name.
  Result<void> remove(const std::string& name);
  // Makes an interface a port of a bridge.
  Result<void> plug(const std::string& name, const std::string& bridge);
  Result<void> set_up(const std::string& name) { return change_state(name, true); }
  Result<void> set_down(const std::string& name) { return change_state(name, false); }
  // IPv4, "10.77.1.1" with a prefix length.
  Result<void> add_address(const std::string& interface, const std::string& address, unsigned prefix);

 private:
  explicit Netlink(ScopedFd socket) : socket_(std::move(socket)) {}
  Result<void> add_link(const std::string& name, const std::string& info, const std::string& doing);
  Result<void> change_state(const std::string& name, bool up);
  Result<void> ask(std::string& request, const std::string& doing);

  ScopedFd socket_;
};

}  // namespace pnfs::kernel
