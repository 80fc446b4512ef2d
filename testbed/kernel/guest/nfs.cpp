// The NFS mount, straight through mount(2): what mount.nfs4 would pass to the kernel, without needing nfs-common.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

constexpr long long kUnmountTimeoutMs = 10'000;

// mkdir -p
void make_folders(const std::string& path) {
  for (size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at);
    ::mkdir(path.substr(0, at).c_str(), 0755);
    if (at != std::string::npos) ++at;
  }
}

int try_mount(const Settings& conf, const std::string& vers) {
  const std::string target = conf.get("mount_point");
  const std::string source = conf.get("mount_address") + ":" + conf.get("mount_path", "/");
  std::string data = "vers=" + vers + ",proto=tcp,addr=" + conf.get("mount_address") +
                     ",clientaddr=" + conf.get("address") + ",port=" + conf.get("mount_port");
  if (const std::string more = conf.get("mount_options"); !more.empty()) data += "," + more;
  const pid_t pid = fork_child();
  if (pid == 0) ::_exit(::mount(source.c_str(), target.c_str(), "nfs4", 0, data.c_str()) == 0 ? 0 : errno);
  const ChildEnd end = wait_child(pid, conf.number("mount_timeout_ms", 60'000));
  const int why = end.timed_out ? ETIMEDOUT : end.status;
  if (why != 0) say("mount of " + source + " with " + data + ": " + std::strerror(why));
  return why;
}

}  // namespace

int mount_export(const Settings& conf) {
  make_folders(conf.get("mount_point"));
  const std::string vers = conf.get("vers");
  if (!vers.empty()) return try_mount(conf, vers);
  // The order in which mount.nfs negotiates.
  int why = try_mount(conf, "4.2");
  if (why == EPROTONOSUPPORT || why == EINVAL) why = try_mount(conf, "4.1");
  return why;
}

bool unmount_export(const Settings& conf) {
  const std::string target = conf.get("mount_point");
  const pid_t pid = fork_child();
  if (pid == 0) {
    // A command may have mounted there again, or unmounted.
    while (::umount2(target.c_str(), 0) == 0) {
    }
    ::_exit(errno == EINVAL ? 0 : 1);
  }
  const ChildEnd end = wait_child(pid, kUnmountTimeoutMs);
  if (!end.timed_out && end.status == 0) return true;
  say("unmounting " + target + (end.timed_out ? " took too long" : " failed"));
  const pid_t forced = fork_child();
  if (forced == 0) ::_exit(::umount2(target.c_str(), MNT_FORCE | MNT_DETACH) == 0 ? 0 : 1);
  wait_child(forced, 1000);
  return false;
}

}  // namespace pnfs::guest
