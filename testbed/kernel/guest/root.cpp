// Root of a guest: overlayfs, the host's files (read-only) below, a tmpfs above. The tmpfs is detached with the old
// root and lives on inside the overlay, so that the guest sees the host's folders and nothing of this scaffolding.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

bool fail(const char* doing) {
  say(std::string("making the guest's root: ") + doing + ": " + std::strerror(errno));
  return false;
}

}  // namespace

bool make_private_root(const Settings& conf) {
  // Device nodes and set-user-id files of the host are not for a guest that anybody may start.
  ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID, nullptr);
  if (!load_module(modules_folder(conf), "overlay")) return fail("loading the module overlay");
  const std::string base = "/run/root";
  for (const char* name : {"", "/upper", "/work", "/merged"}) ::mkdir((base + name).c_str(), 0755);
  const std::string merged = base + "/merged";
  const std::string layers = "lowerdir=/,upperdir=" + base + "/upper,workdir=" + base + "/work";
  if (::mount("root", merged.c_str(), "overlay", MS_NOSUID, layers.c_str()) != 0) return fail("mounting the overlay");

  for (const char* name : {"/proc", "/sys", "/dev", "/run", "/mnt", "/tmp"}) ::mkdir((merged + name).c_str(), 0755);
  if (::mount("/proc", (merged + "/proc").c_str(), nullptr, MS_MOVE, nullptr) != 0) return fail("moving /proc");
  // devtmpfs is there when the kernel mounts it by itself; the same instance either way.
  if (::mount("dev", (merged + "/dev").c_str(), "devtmpfs", 0, "mode=755") != 0) return fail("mounting /dev");
  ::mount("sys", (merged + "/sys").c_str(), "sysfs", 0, nullptr);
  const std::string run = merged + kRunFolder;
  ::mkdir(run.c_str(), 0755);
  if (::mount(kRunFolder, run.c_str(), nullptr, MS_MOVE, nullptr) != 0) return fail("moving the runner's folder");

  const std::string old = merged + "/run/.old";
  ::mkdir(old.c_str(), 0700);
  if (::syscall(SYS_pivot_root, merged.c_str(), old.c_str()) != 0) return fail("changing the root");
  if (::chdir("/") != 0 || ::umount2("/run/.old", MNT_DETACH) != 0) return fail("leaving the old root");
  ::rmdir("/run/.old");

  ::mkdir("/dev/pts", 0755);
  ::mkdir("/dev/shm", 01777);
  ::mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
  ::mount("shm", "/dev/shm", "tmpfs", 0, nullptr);
  return true;
}

}  // namespace pnfs::guest
