// What the process `pnfslab network` holds: the hosts of hosts.hpp and the bridges between them. A host is kept by a
// descriptor of its namespace (host_fd()), so it outlives its server and ends with this process.
#pragma once

#include <map>
#include <string>

#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/netlink.hpp"
#include "testbed/lab/hosts.hpp"

namespace pnfs::lab {

class HostNetwork {
 public:
  // This process goes into the namespace of the bridges; it must not have threads.
  static Result<HostNetwork> make(unsigned data_servers);

  // "add ds3", "remove ds3": what add_host() and remove_host() ask for. Data servers alone come and go.
  Result<std::string> obey(std::string_view command);

 private:
  HostNetwork(ScopedFd home, kernel::Netlink bridges) : home_(std::move(home)), bridges_(std::move(bridges)) {}
  Result<void> add(const Host& host);
  Result<void> remove(const Host& host);

  ScopedFd home_;  // the namespace of the bridges
  kernel::Netlink bridges_;
  std::map<std::string, ScopedFd> hosts_;
};

}  // namespace pnfs::lab
