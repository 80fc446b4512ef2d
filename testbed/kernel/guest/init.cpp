// The order of a guest's life: root, modules, network, mount, command, statistics, unmount, power off.
#include <fcntl.h>
#include <signal.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

void say(const std::string& text) {
  const std::string line = "pnfslab: " + text + "\n";
  const int fd = ::open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto ignored = ::write(fd, line.data(), line.size());
  ::close(fd);
}

bool read_file(const std::string& path, std::string& into) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  into.clear();
  char buffer[65536];
  ssize_t got;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) into.append(buffer, size_t(got));
  ::close(fd);
  return got == 0;
}

bool write_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
    if (wrote <= 0) break;
    done += size_t(wrote);
  }
  ::close(fd);
  return done == text.size();
}

namespace {

std::string run_file(const char* name) {
  return std::string(kRunFolder) + "/" + name;
}

void save_kernel_log() {
  constexpr int kReadAll = 3, kBufferSize = 10;
  const int size = ::klogctl(kBufferSize, nullptr, 0);
  if (size <= 0) return;
  std::string text(size_t(size), '\0');
  const int got = ::klogctl(kReadAll, text.data(), size);
  if (got < 0) return;
  text.resize(size_t(got));
  write_file(run_file("dmesg"), text);
}

void apply_sysctls(const Settings& conf) {
  for (const std::string& setting : conf.all("sysctl")) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) continue;
    std::string path = "/proc/sys/" + setting.substr(0, equals);
    for (char& c : path)
      if (c == '.') c = '/';
    if (!write_file(path, setting.substr(equals + 1))) say("cannot set " + setting + ": " + std::strerror(errno));
  }
}

// "6.1.176". Debian's stable kernels call themselves "6.1.0-49-amd64" and say the rest in their version:
// "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-06-01)".
std::string kernel_release() {
  utsname names{};
  ::uname(&names);
  const std::string version = names.version;
  constexpr std::string_view kMark = "Debian ";
  const size_t at = version.find(kMark);
  if (at == std::string::npos) return names.release;
  const size_t begin = at + kMark.size();
  return version.substr(begin, version.find_first_of("- ", begin) - begin);
}

[[noreturn]] void power_off() {
  ::reboot(RB_POWER_OFF);
  for (;;) ::pause();
}

void life(const Settings& conf) {
  Settings status;
  if (const timeval now{conf.number("seconds"), 0}; now.tv_sec != 0) ::settimeofday(&now, nullptr);
  const std::string folder = modules_folder(conf);
  const std::string init = conf.get("init");
  write_file("/proc/sys/kernel/modprobe", ::access(init.c_str(), X_OK) == 0 ? init : kHostFolder + init);
  for (const std::string& name : conf.all("module"))
    if (!load_module(folder, name)) say("module " + name + " is not loaded");
  bring_up_network(conf);
  apply_sysctls(conf);
  const std::string hostname = conf.get("hostname", "client");
  ::sethostname(hostname.data(), hostname.size());
  if (const std::string shared = conf.get("shared"); !shared.empty()) {
    ::mkdir("/mnt/shared", 0755);
    const bool hostfs = ::mount("none", "/mnt/shared", "hostfs", 0, shared.c_str()) == 0;
    if (!hostfs && ::mount("shared", "/mnt/shared", "9p", 0, "trans=virtio,version=9p2000.L") != 0)
      say("cannot mount the shared folder " + shared + ": " + std::strerror(errno));
  }
  Streams streams(conf);
  // From here on the console shows all that the kernel says, so that a guest that hangs leaves its log behind.
  constexpr int kConsoleLevel = 8, kAllMessages = 7;
  ::klogctl(kConsoleLevel, nullptr, kAllMessages);
  write_file(run_file("booted"), kernel_release());  // known even of a kernel that panics later

  int mount_errno = 0;
  const bool mounts = conf.number("mount") != 0;
  if (mounts) mount_errno = mount_export(conf);
  status.add("mount_errno", mount_errno);
  if (mount_errno == 0) status.add("exit", run_command(conf, streams));

  std::string text;
  if (read_file("/proc/self/mountstats", text)) write_file(run_file("mountstats"), text);
  ::kill(-1, SIGKILL);  // what the command left running would keep the export busy
  streams.finish();
  if (mounts && mount_errno == 0) status.add("unmounted", unmount_export(conf) ? 1 : 0);
  save_kernel_log();
  write_file(run_file("status"), status.bytes());
}

// The runner's folder: through hostfs in User-Mode Linux, over 9p in QEMU.
bool mount_run_folder() {
  ::mkdir("/proc", 0555);
  ::mount("proc", "/proc", "proc", 0, nullptr);
  if (in_initramfs()) return mount_over_9p();
  const char* run = ::getenv("pnfslab_run");
  if (run == nullptr || ::mount("run", "/run", "tmpfs", 0, "mode=755") != 0) {
    say("the kernel command line names no folder of the runner (pnfslab_run=)");
    return false;
  }
  ::mkdir(kRunFolder, 0755);
  if (::mount("none", kRunFolder, "hostfs", 0, run) == 0) return true;
  say(std::string("cannot mount the runner's folder ") + run + ": " + std::strerror(errno));
  return false;
}

void start() {
  if (!mount_run_folder()) return;
  std::string bytes;
  if (!read_file(run_file("guest.conf"), bytes)) {
    say("cannot read the runner's guest.conf");
    return;
  }
  const Settings conf = Settings::parse(bytes);
  if (make_private_root(conf)) life(conf);
}

}  // namespace
}  // namespace pnfs::guest

int main(int argc, char** argv) {
  using namespace pnfs::guest;
  if (::getpid() != 1) {
    // The kernel's request_module(): modprobe -q -- NAME
    std::string bytes;
    if (argc < 2 || !read_file(std::string(kRunFolder) + "/guest.conf", bytes)) return 1;
    return load_module(modules_folder(Settings::parse(bytes)), argv[argc - 1]) ? 0 : 1;
  }
  ::umask(022);
  start();
  power_off();
}
