#include "common/io/local_address.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

namespace pnfs::io {

Result<LocalAddress> local_address(const std::string& path) {
  LocalAddress address;
  address.name.sun_family = AF_UNIX;
  std::string name = path;
  if (name.size() >= sizeof address.name.sun_path) {
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
    address.folder = ScopedFd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!address.folder) return error(Errc::not_found, "folder {}: {}", folder, std::strerror(errno));
    name = fmt::format("/proc/self/fd/{}/{}", address.folder.get(), path.substr(slash + 1));
    if (name.size() >= sizeof address.name.sun_path)
      return error(Errc::invalid, "the name of socket {} is too long; choose a shorter one", path);
  }
  std::memcpy(address.name.sun_path, name.c_str(), name.size() + 1);
  return address;
}

}  // namespace pnfs::io
