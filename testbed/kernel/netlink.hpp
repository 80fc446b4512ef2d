// Interfaces of the guest's network namespace, by rtnetlink: no ip program is needed, and no fork.
#pragma once

#include <string>

#include "common/base/result.hpp"
#include "common/base/scoped_fd.hpp"

namespace pnfs::kernel {

class Netlink {
 public:
  static Result<Netlink> open();

  // Two joined interfaces, both down.
  Result<void> add_veth(const std::string& name, const std::string& peer);
  Result<void> set_up(const std::string& name);
  // IPv4, "10.77.1.1" with a prefix length.
  Result<void> add_address(const std::string& interface, const std::string& address, unsigned prefix);

 private:
  explicit Netlink(ScopedFd socket) : socket_(std::move(socket)) {}
  Result<void> ask(std::string& request, const std::string& doing);

  ScopedFd socket_;
};

}  // namespace pnfs::kernel
