#include "testbed/kernel/cpio.hpp"

#include <fmt/format.h>

namespace pnfs::kernel {

void CpioArchive::add(const std::string& path, unsigned mode, std::string_view bytes, unsigned major, unsigned minor) {
  // inode, mode, uid, gid, links, mtime, size, device, special device, name size with its zero, checksum
  bytes_ += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                        next_inode_++, mode, 0, 0, 1, 0, bytes.size(), 0, 0, major, minor, path.size() + 1, 0);
  const auto pad = [this] { bytes_.resize((bytes_.size() + 3) & ~size_t{3}, '\0'); };
  bytes_.append(path).push_back('\0');
  pad();
  bytes_.append(bytes);
  pad();
}

const std::string& CpioArchive::finish() {
  add("TRAILER!!!", 0, "", 0, 0);
  return bytes_;
}

}  // namespace pnfs::kernel
