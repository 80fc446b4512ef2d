// The first steps under QEMU, where init comes from an initramfs with the modules it needs to reach the host's files.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

bool mount_9p(const char* tag, const char* where, unsigned long flags, const char* more) {
  const std::string data = std::string("trans=virtio,version=9p2000.L,msize=262144,") + more;
  if (::mount(tag, where, "9p", flags, data.c_str()) == 0) return true;
  say(std::string("cannot mount the host's folder ") + tag + " over 9p: " + std::strerror(errno));
  return false;
}

// A client's boot verifier is the time at which this module was loaded: no two runs may share it.
bool is_of_the_run(const std::string& module) {
  return module == "nfs" || module == "nfsv4" || module == "nfs_layout_nfsv41_files";
}

// Only the modules of the run, or only the others.
void load_listed(bool of_the_run) {
  std::string text;
  read_file("/modules.list", text);
  std::istringstream names(text);
  for (std::string name; std::getline(names, name);)
    if (is_of_the_run(name) == of_the_run && !is_blacklisted(name)) insert_module("/modules/" + name + ".ko");
}

// Says that the machine can be saved, and goes on when a restored one is told to.
void wait_in_snapshot() {
  const int line = ::open("/dev/ttyS3", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  termios raw{};
  ::tcgetattr(line, &raw);
  ::cfmakeraw(&raw);
  ::tcsetattr(line, TCSANOW, &raw);
  say("ready for a snapshot");
  char byte;
  while (::read(line, &byte, 1) < 0 && errno == EINTR) {
  }
  ::close(line);
}

}  // namespace

bool in_initramfs() {
  // Asked for once, before the root changes.
  static const bool found = ::access("/modules.list", F_OK) == 0;
  return found;
}

bool mount_over_9p() {
  ::mount("dev", "/dev", "devtmpfs", 0, "mode=755");
  ::mount("sys", "/sys", "sysfs", 0, nullptr);
  load_listed(false);
  if (::getenv("pnfslab_snapshot") != nullptr) wait_in_snapshot();
  load_listed(true);
  ::mount("run", "/run", "tmpfs", 0, "mode=755");
  ::mkdir(kRunFolder, 0755);
  // The host's files do not change under a guest, as far as it cares; the runner's folder does.
  return mount_9p("host", kInitramfsHost, MS_RDONLY | MS_NOSUID, "cache=loose") &&
         mount_9p("run", kRunFolder, 0, "cache=none");
}

}  // namespace pnfs::guest
