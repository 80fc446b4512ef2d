#include "testbed/kernel/namespace.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/files.hpp"

namespace pnfs::kernel {

namespace {

constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC;

bool setting_is(const char* path, char value) {
  const auto text = read_file(path);
  return text && !text->empty() && text->front() == value;
}

// Which of the switches that forbid user namespaces is thrown here, as advice.
std::string what_to_do() {
  if (setting_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
    return "allow them with: sysctl kernel.unprivileged_userns_clone=1; or run as root";
  if (setting_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
    return "allow them with: sysctl kernel.apparmor_restrict_unprivileged_userns=0; or run as root";
  if (setting_is("/proc/sys/user/max_user_namespaces", '0'))
    return "allow them with: sysctl user.max_user_namespaces=10000; or run as root";
  return "in a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined or "
         "--privileged";
}

Error forbidden(const char* doing, int why) {
  return error(Errc::permission,
               "this machine does not let the kernel client make its own user and network namespace ({}: {}); {}",
               doing, std::strerror(why), what_to_do());
}

Result<void> enter_user_namespace(int others) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(CLONE_NEWUSER | others) != 0) return forbidden("unshare", errno);
  // setgroups must be given up before an unprivileged process may map its group (user_namespaces(7)).
  (void)write_file("/proc/self/setgroups", "deny");
  auto mapped = write_file("/proc/self/uid_map", fmt::format("0 {} 1\n", uid));
  if (mapped) mapped = write_file("/proc/self/gid_map", fmt::format("0 {} 1\n", gid));
  if (!mapped) return forbidden("mapping the user id", errno);
  return {};
}

// Root keeps its identity, so that it can read what root can read; without the capability (a container) root goes the
// way of everybody else.
Result<void> enter(int namespaces) {
  if (::geteuid() == 0 && ::unshare(namespaces) == 0) return {};
  return enter_user_namespace(namespaces);
}

Result<void> make_mounts_private() {
  // AppArmor may grant the namespace and then refuse everything in it: this is where it shows.
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return errno == EINVAL
               ? error(Errc::permission,
                       "the kernel client cannot keep its mounts to itself: the root folder of this process "
                       "is no mount point; before chroot run: mount --bind DIR DIR")
               : forbidden("making mounts private", errno);
  return {};
}

}  // namespace

Result<void> enter_namespaces() {
  if (auto entered = enter(kNamespaces); !entered) return entered;
  return make_mounts_private();
}

Result<void> enter_namespaces_below(const std::string& user_namespace) {
  const ScopedFd user(::open(user_namespace.c_str(), O_RDONLY | O_CLOEXEC));
  if (!user || ::setns(user.get(), CLONE_NEWUSER) != 0)
    return error(Errc::permission, "entering the user namespace {}: {}", user_namespace, std::strerror(errno));
  if (::unshare(kNamespaces) != 0) return forbidden("unshare", errno);
  return make_mounts_private();
}

Result<void> enter_network_namespace() {
  return enter(CLONE_NEWNET);
}

Result<void> mount_private_tmpfs(const std::string& folder, unsigned mib) {
  const std::string options = fmt::format("size={}m,mode=700", mib);
  if (::mount("pnfslab", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    return error(Errc::permission, "mounting a tmpfs for the guest's memory at {}: {}", folder, std::strerror(errno));
  return {};
}

}  // namespace pnfs::kernel
