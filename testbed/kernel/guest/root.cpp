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

// Linux 5.10 cannot open a file through an overlay above hostfs (unless it was opened on hostfs before, as init was).
bool can_open_through(const std::string& merged) {
  const int fd = ::open((merged + "/etc/passwd").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

bool mount_overlay(const Settings& conf, const std::string& base) {
  if (!in_initramfs() && !load_module(modules_folder(conf), "overlay")) return fail("loading the module overlay");
  for (const char* name : {"", "/upper", "/work", "/merged"}) ::mkdir((base + name).c_str(), 0755);
  const std::string lower = in_initramfs() ? kInitramfsHost : "/";
  const std::string layers = "lowerdir=" + lower + ",upperdir=" + base + "/upper,workdir=" + base + "/work";
  if (::mount("root", (base + "/merged").c_str(), "overlay", MS_NOSUID, layers.c_str()) != 0)
    return fail("mounting the overlay");
  if (can_open_through(base + "/merged")) return true;
  ::umount2((base + "/merged").c_str(), MNT_DETACH);
  return false;
}

void mount_dev_and_sys() {
  ::mount("sys", "/sys", "sysfs", 0, nullptr);
  // What udev adds to the kernel's own /dev.
  const std::pair<const char*, const char*> links[] = {
      {"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"}, {"fd/2", "/dev/stderr"}};
  for (const auto& [target, name] : links) [[maybe_unused]] const int ignored = ::symlink(target, name);
  ::mkdir("/dev/pts", 0755);
  ::mkdir("/dev/shm", 01777);
  ::mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=666");
  ::mount("shm", "/dev/shm", "tmpfs", 0, nullptr);
}

bool enter_overlay(const std::string& merged) {
  for (const char* name : {"/proc", "/sys", "/dev", "/run", "/mnt", "/tmp"}) ::mkdir((merged + name).c_str(), 0755);
  if (::mount("/proc", (merged + "/proc").c_str(), nullptr, MS_MOVE, nullptr) != 0) return fail("moving /proc");
  // The same instance as the one that the kernel mounted by itself, if it did.
  if (::mount("dev", (merged + "/dev").c_str(), "devtmpfs", 0, "mode=755") != 0) return fail("mounting /dev");
  const std::string run = merged + kRunFolder;
  ::mkdir(run.c_str(), 0755);
  if (::mount(kRunFolder, run.c_str(), nullptr, MS_MOVE, nullptr) != 0) return fail("moving the runner's folder");

  if (in_initramfs()) {
    // The initramfs cannot be pivoted away; the new root is moved over it.
    if (::chdir(merged.c_str()) != 0 || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
        ::chdir("/") != 0)
      return fail("changing the root");
    return true;
  }
  const std::string old = merged + "/run/.old";
  ::mkdir(old.c_str(), 0700);
  if (::syscall(SYS_pivot_root, merged.c_str(), old.c_str()) != 0) return fail("changing the root");
  if (::chdir("/") != 0 || ::umount2("/run/.old", MNT_DETACH) != 0) return fail("leaving the old root");
  ::rmdir("/run/.old");
  return true;
}

// The host's files stay the root, read-only, with memory where programs expect to write. What that hides is found
// below kHostFolder.
bool cover_with_memory() {
  ::mkdir(kHostFolder, 0755);
  if (::mount("none", kHostFolder, "hostfs", MS_RDONLY | MS_NOSUID, "/") != 0) return fail("mounting the host's files");
  for (const char* name : {"/tmp", "/var/tmp", "/mnt"})
    if (::mount("memory", name, "tmpfs", MS_NOSUID, "mode=1777") != 0) return fail("mounting a tmpfs");
  ::mount("dev", "/dev", "devtmpfs", 0, "mode=755");
  return true;
}

}  // namespace

bool make_private_root(const Settings& conf) {
  // Device nodes and set-user-id files of the host are not for a guest that anybody may start.
  if (!in_initramfs()) ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID, nullptr);
  const std::string base = "/run/root";
  const bool done =
      mount_overlay(conf, base) ? enter_overlay(base + "/merged") : !in_initramfs() && cover_with_memory();
  mount_dev_and_sys();
  return done;
}

}  // namespace pnfs::guest
