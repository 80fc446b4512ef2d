// Addresses of Unix-domain sockets. A path longer than sun_path (108 bytes) is reached through a descriptor of its
// folder, so that a deep state directory is no reason to fail.
#pragma once

#include <sys/un.h>

#include <string>

#include "common/base/result.hpp"
#include "common/base/scoped_fd.hpp"

namespace pnfs::io {

struct LocalAddress {
  sockaddr_un name{};
  ScopedFd folder;  // must stay open while `name` is in use

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
  socklen_t size() const { return sizeof name; }
};

Result<LocalAddress> local_address(const std::string& path);

}  // namespace pnfs::io
