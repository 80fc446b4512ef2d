// An initramfs: the "newc" form of cpio (Documentation/driver-api/early-userspace/buffer-format.rst of the kernel).
#pragma once

#include <string>
#include <string_view>

namespace pnfs::kernel {

class CpioArchive {
 public:
  void add_directory(const std::string& path) { add(path, 0040755, "", 0, 0); }
  void add_file(const std::string& path, std::string_view bytes, bool executable = false) {
    add(path, executable ? 0100755 : 0100644, bytes, 0, 0);
  }
  void add_character_device(const std::string& path, unsigned major, unsigned minor) {
    add(path, 0020600, "", major, minor);
  }
  // The whole archive; nothing may be added afterwards.
  const std::string& finish();

 private:
  void add(const std::string& path, unsigned mode, std::string_view bytes, unsigned major, unsigned minor);

  std::string bytes_;
  unsigned next_inode_ = 1;
};

}  // namespace pnfs::kernel
