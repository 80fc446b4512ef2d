#include "testbed/kernel/snapshot.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/clock.hpp"
#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/catalog.hpp"
#include "testbed/kernel/files.hpp"
#include "testbed/kernel/qemu.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr Duration kAnswerTimeout = 30s;
constexpr Duration kSaveTimeout = 120s;
constexpr int kFormat = 2;  // of what the machine consists of (qemu_launch)

std::string stamp(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return path + " missing";
  return fmt::format("{} {} {}.{}", path, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

// A line for everything that the saved machine depends on.
std::string key_of(const KernelImage& kernel, const std::string& guest) {
  return fmt::format("format {}\n{}\n{}\n{}\n{}\n", kFormat, stamp(kernel.path), stamp(kernel.modules),
                     stamp(guest + "/init"), stamp(qemu_program()));
}

// QEMU's monitor, one command at a time.
class Monitor {
 public:
  static Result<Monitor> connect(const std::string& path) {
    Monitor monitor;
    monitor.socket_ = ScopedFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path) return error(Errc::invalid, "the path {} is too long", path);
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    if (::connect(monitor.socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0)
      return error(Errc::io, "QEMU's monitor {}: {}", path, std::strerror(errno));
    if (auto greeting = monitor.read_until("\"QMP\""); !greeting) return greeting.error();
    if (auto ready = monitor.command(R"({"execute":"qmp_capabilities"})"); !ready) return ready.error();
    return monitor;
  }

  // What QEMU returned, as it wrote it.
  Result<std::string> command(const std::string& text) {
    const std::string line = text + "\n";
    if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) != ssize_t(line.size()))
      return error(Errc::io, "QEMU's monitor: {}", std::strerror(errno));
    return read_until("\"return\"");
  }

 private:
  // The line with the word; events are passed over.
  Result<std::string> read_until(std::string_view word) {
    const SystemClock clock;
    const TimePoint give_up = clock.now() + kAnswerTimeout;
    for (;;) {
      for (size_t end; (end = pending_.find('\n')) != std::string::npos;) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        if (line.find(word) != std::string::npos) return line;
        if (line.find("\"error\"") != std::string::npos) return error(Errc::io, "QEMU: {}", line);
      }
      pollfd wait{socket_.get(), POLLIN, 0};
      if (::poll(&wait, 1, 1000) == 0) {
        if (clock.now() >= give_up) return error(Errc::timeout, "QEMU's monitor does not answer");
        continue;
      }
      char buffer[4096];
      const ssize_t got = ::read(socket_.get(), buffer, sizeof buffer);
      if (got <= 0) return error(Errc::closed, "QEMU ended");
      pending_.append(buffer, size_t(got));
    }
  }

  ScopedFd socket_;
  std::string pending_;
};

}  // namespace

Snapshot snapshot_of(const KernelImage& kernel) {
  std::string name = kernel.path;
  for (char& c : name)
    if (c == '/') c = '_';
  return {(fs::path(kernel_cache_folder()).parent_path() / "snapshots" / name).string()};
}

std::optional<Snapshot> find_snapshot(const KernelImage& kernel, const std::string& guest) {
  Snapshot snapshot = snapshot_of(kernel);
  const auto key = read_file(snapshot.folder + "/key");
  if (!key || *key != key_of(kernel, guest)) return std::nullopt;
  return snapshot;
}

Result<void> take_snapshot(const std::string& qmp_socket, const Snapshot& snapshot, const KernelImage& kernel,
                           const std::string& guest) {
  auto monitor = Monitor::connect(qmp_socket);
  if (!monitor) return monitor.error();
  const std::string migrate =
      fmt::format(R"({{"execute":"migrate","arguments":{{"uri":"exec:cat >'{}'"}}}})", snapshot.state());
  // Not stopped before: whether it runs is part of the state, and a restored machine goes on as it was.
  if (auto done = monitor->command(migrate); !done) return done.error();
  const SystemClock clock;
  for (const TimePoint give_up = clock.now() + kSaveTimeout;;) {
    const auto status = monitor->command(R"({"execute":"query-migrate"})");
    if (!status) return status.error();
    if (status->find("\"completed\"") != std::string::npos) break;
    if (status->find("\"failed\"") != std::string::npos || clock.now() >= give_up)
      return error(Errc::io, "QEMU could not save the machine: {}", *status);
    ::usleep(50'000);
  }
  return write_file(snapshot.folder + "/key", key_of(kernel, guest));
}

}  // namespace pnfs::kernel
