// The supervisor of a QEMU machine: from what it begins, and keeping one.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/supervisor.hpp"

namespace pnfs::kernel {

namespace {
constexpr Duration kGoPause = std::chrono::milliseconds(100);
}

// How a QEMU machine begins. Before any namespace is entered: making an initramfs starts programs.
Result<void> Supervisor::prepare_machine(std::string& initramfs) {
  const bool save = options_.number("snapshot") != 0;
  if (kernel_.kind != KernelKind::bzimage) {
    if (save) return error(Errc::unsupported, "{} is User-Mode Linux, which needs no snapshot", kernel_.path);
    return {};
  }
  if (const auto known = find_snapshot(kernel_, guest_folder_); known && !save) {
    // A machine that is there cannot be given another command line or more memory.
    if (options_.all("kernel_argument").empty() && options_.number("memory_mib", 256) <= kSnapshotMemoryMib) {
      start_ = Start::restore;
      snapshot_ = *known;
      return {};
    }
  }
  if (save) {
    start_ = Start::save;
    snapshot_ = snapshot_of(kernel_);
    std::error_code failed;
    std::filesystem::remove_all(snapshot_.folder, failed);
    std::filesystem::create_directories(snapshot_.folder, failed);
    if (failed) return error(Errc::io, "making {}: {}", snapshot_.folder, failed.message());
  }
  auto made = make_initramfs(kernel_, guest_folder_);
  if (!made) return made.error();
  initramfs = std::move(*made);
  return {};
}

// The machine waits; it is kept and ends.
void Supervisor::save_machine() {
  if (saved_ || start_ != Start::save || console_.find(kReadyForSnapshot) == std::string::npos) return;
  saved_ = true;
  const auto taken = take_snapshot(around_.run_folder + kQmpSocket, snapshot_, kernel_, guest_folder_);
  if (!taken) return end("not_started", taken.error().reason);
  // As if its command had run.
  (void)write_file(around_.run_folder + "/status", Settings().bytes());
  ::kill(confined_.first, around_.confined ? SIGKILL : SIGTERM);
}

Result<void> Supervisor::make_go_pipe() {
  const std::string name = around_.run_folder + kGoPipe;
  for (const char* end : {".in", ".out"})
    if (::mkfifo((name + end).c_str(), 0600) != 0)
      return error(Errc::io, "making {}{}: {}", name, end, std::strerror(errno));
  go_ = ScopedFd(::open((name + ".in").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!go_) return error(Errc::io, "opening {}.in: {}", name, std::strerror(errno));
  return {};
}

// A byte that comes before the machine's state is there is lost: it is told again until it has come up.
void Supervisor::wake_machine() {
  if (!go_) return;
  if (booted_ != TimePoint{}) return go_.reset();
  if (clock_.now() < next_go_) return;
  next_go_ = clock_.now() + kGoPause;
  [[maybe_unused]] const auto ignored = ::write(go_.get(), "g", 1);
}

}  // namespace pnfs::kernel
