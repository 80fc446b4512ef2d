#include "testbed/kernel/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/namespace.hpp"
#include "testbed/kernel/netlink.hpp"
#include "testbed/kernel/report.hpp"

namespace pnfs::kernel {

namespace {

using namespace std::chrono_literals;

constexpr int kOrders = 0;
constexpr const char* kHostInterface = "pnfs0";
constexpr const char* kGuestInterface = "pnfs1";
constexpr unsigned kTmpfsSlackMib = 2048;  // beyond the guest's memory; pages that are never written cost nothing
constexpr Duration kOfferTimeout = 10s;
constexpr Duration kOfferPause = 50ms;
constexpr Duration kPanicGrace = 2s;
constexpr size_t kMaxConsoleBytes = 4 << 20;

int to_poll_ms(Duration wait) {
  return int(std::clamp<int64_t>(std::chrono::ceil<std::chrono::milliseconds>(wait).count(), 0, 60'000));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(size_t(wrote));
  }
  return true;
}

}  // namespace

Result<void> Supervisor::start() {
  started_ = clock_.now();
  deadline_ = started_ + std::chrono::milliseconds(options_.number("timeout_ms", 120'000));
  auto folder = guest_folder();
  if (!folder) return folder.error();
  guest_folder_ = *folder;
  run_folder_ = guest_folder_ + "/run";
  auto kernel = find_kernel(options_.get("kernel"), options_.get("modules"));
  if (!kernel) return kernel.error();
  kernel_ = *kernel;

  sigset_t stopping;
  ::sigemptyset(&stopping);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&stopping, number);
  ::sigprocmask(SIG_BLOCK, &stopping, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = ScopedFd(::signalfd(-1, &stopping, SFD_CLOEXEC | SFD_NONBLOCK));

  if (auto done = enter_namespaces(); !done) return done;
  const unsigned memory_mib = unsigned(options_.number("memory_mib", 256));
  if (auto done = mount_private_tmpfs(run_folder_, memory_mib + kTmpfsSlackMib); !done) return done;
  if (auto done = make_network(); !done) return done;
  if (auto done = offer_listeners(); !done) return done;
  if (auto done = write_configuration(); !done) return done;
  return launch();
}

Result<void> Supervisor::make_network() {
  const long long number = options_.number("number", 1);
  server_address_ = fmt::format("10.77.{}.1", number);
  guest_address_ = fmt::format("10.77.{}.2", number);
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (auto done = netlink->set_up("lo"); !done) return done;
  if (auto done = netlink->add_veth(kHostInterface, kGuestInterface); !done) return done;
  for (const char* name : {kHostInterface, kGuestInterface})
    if (auto done = netlink->set_up(name); !done) return done;
  if (auto done = netlink->add_address(kHostInterface, server_address_, 24); !done) return done;

  std::set<std::string> known{server_address_};
  for (long long i = 0; i < options_.number("servers"); ++i) {
    const std::string prefix = fmt::format("server{}.", i);
    ServerPort port{options_.get(prefix + "node"), options_.get(prefix + "control"),
                    uint16_t(options_.number(prefix + "port")), options_.get(prefix + "address")};
    if (port.address.empty()) port.address = server_address_;
    if (known.insert(port.address).second) {
      if (auto done = netlink->add_address(kHostInterface, port.address, 32); !done) return done;
    }
    offers_.emplace_back(std::move(port));
  }
  return {};
}

Result<void> Supervisor::offer_listeners() {
  for (ListenerOffer& offer : offers_)
    if (auto sent = offer.send(); !sent) return sent;
  const TimePoint give_up = std::min(clock_.now() + kOfferTimeout, deadline_);
  for (ListenerOffer& offer : offers_) {
    while (!offer.served()) {
      pollfd wait{offer.fd(), POLLIN, 0};
      if (::poll(&wait, 1, to_poll_ms(give_up - clock_.now())) == 0 && clock_.now() >= give_up) {
        return error(Errc::timeout, "{} did not take the listening socket within {} s; is it hung?", offer.port().node,
                     std::chrono::duration_cast<std::chrono::seconds>(kOfferTimeout).count());
      }
      if (wait.revents == 0) continue;
      if (auto answered = offer.on_readable(); !answered) return answered;
    }
  }
  return {};
}

Result<void> Supervisor::write_configuration() {
  Settings conf;
  for (const char* key : {"mount", "mount_port", "mount_path", "mount_point", "vers", "mount_options",
                          "mount_timeout_ms", "working_directory", "shared"})
    if (const std::string value = options_.get(key); !value.empty()) conf.add(key, value);
  for (const char* key : {"arg", "env", "sysctl"})
    for (const std::string& value : options_.all(key)) conf.add(key, value);
  const std::string mount_address = options_.get("mount_address");
  conf.add("mount_address", mount_address.empty() ? server_address_ : mount_address);
  conf.add("hostname", options_.get("hostname"));
  conf.add("address", guest_address_);
  conf.add("gateway", server_address_);
  conf.add("modules", kernel_.modules);
  conf.add("init", guest_folder_ + "/init");
  // What a mount would load one by one through modprobe.
  for (const char* module : {"nfsv4", "nfs_layout_nfsv41_files"}) conf.add("module", module);
  return write_file(run_folder_ + "/guest.conf", conf.bytes());
}

Result<void> Supervisor::launch() {
  auto console = make_pipe(), output = make_pipe(), error_output = make_pipe();
  for (const auto* pipe : {&console, &output, &error_output})
    if (!*pipe) return pipe->error();
  const Launch launch = uml_launch(kernel_, options_, guest_folder_, run_folder_, kGuestInterface);
  const KernelPipes pipes{console->write_end.get(), output->write_end.get(), error_output->write_end.get()};
  auto confined = start_confined(launch, pipes);
  if (!confined) return confined.error();
  confined_ = std::move(*confined);
  console_pipe_ = std::move(console->read_end);
  output_pipe_ = std::move(output->read_end);
  error_pipe_ = std::move(error_output->read_end);
  running_ = true;
  return {};
}

void Supervisor::end(const char* outcome, std::string reason) {
  if (!outcome_.empty()) return;
  outcome_ = outcome;
  reason_ = std::move(reason);
  ::kill(confined_.first, SIGKILL);
}

void Supervisor::on_console() {
  char buffer[16384];
  const ssize_t got = ::read(console_pipe_.get(), buffer, sizeof buffer);
  if (got <= 0) {
    console_pipe_.reset();
    return;
  }
  const size_t before = console_.size();
  console_.append(buffer, size_t(got));
  // The text may have come in two pieces.
  const std::string_view fresh = std::string_view(console_).substr(before > 64 ? before - 64 : 0);
  if (!panic_deadline_ && fresh.find("Kernel panic - not syncing") != std::string_view::npos)
    panic_deadline_ = clock_.now() + kPanicGrace;
  if (console_.size() > kMaxConsoleBytes) console_.erase(kMaxConsoleBytes / 4, kMaxConsoleBytes / 2);
}

void Supervisor::relay(ScopedFd& from, int to) {
  char buffer[65536];
  const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
  if (got <= 0) {
    from.reset();
  } else if (!write_all(to, std::string_view(buffer, size_t(got)))) {
    end("interrupted", "whoever started the guest has gone");
  }
}

// A server that restarts gets its listener again as soon as it takes one.
void Supervisor::offer_again() {
  if (clock_.now() < next_offer_) return;
  next_offer_ = clock_.now() + kOfferPause;
  for (ListenerOffer& offer : offers_)
    if (!offer.connected()) (void)offer.send();
}

Duration Supervisor::until_next_deadline() const {
  TimePoint next = deadline_;
  if (panic_deadline_) next = std::min(next, *panic_deadline_);
  for (const ListenerOffer& offer : offers_)
    if (!offer.connected()) next = std::min(next, next_offer_);
  return next - clock_.now();
}

void Supervisor::step() {
  std::vector<pollfd> waits;
  const auto watch = [&](int fd) { waits.push_back({fd, POLLIN, 0}); };  // poll skips -1
  watch(confined_.pidfd.get());
  watch(signals_.get());
  watch(outcome_.empty() ? kOrders : -1);
  watch(console_pipe_.get());
  watch(output_pipe_.get());
  watch(error_pipe_.get());
  for (const ListenerOffer& offer : offers_) watch(offer.fd());
  if (::poll(waits.data(), waits.size(), outcome_.empty() ? to_poll_ms(until_next_deadline()) : 10'000) < 0) return;

  const auto ready = [&](size_t i) { return waits[i].revents != 0; };
  if (ready(1)) end("interrupted", "stopped by a signal");
  if (ready(2)) end("interrupted", "stopped");
  if (ready(3)) on_console();
  if (ready(4)) relay(output_pipe_, STDOUT_FILENO);
  if (ready(5)) relay(error_pipe_, STDERR_FILENO);
  for (size_t i = 0; i < offers_.size(); ++i)
    if (ready(6 + i)) (void)offers_[i].on_readable();
  offer_again();
  if (booted_ == TimePoint{} && ::access((run_folder_ + "/booted").c_str(), F_OK) == 0) booted_ = clock_.now();
  if (clock_.now() >= deadline_)
    end("timed_out", fmt::format("the guest did not end within {} s", options_.number("timeout_ms", 120'000) / 1000));
  if (panic_deadline_ && clock_.now() >= *panic_deadline_) end("panicked", "");
  // Everything has been read when all writers are gone and the pipes are at their end.
  running_ = !(ready(0) && !console_pipe_ && !output_pipe_ && !error_pipe_);
}

Settings Supervisor::supervise() {
  while (running_) step();
  ::waitpid(confined_.first, nullptr, 0);

  Settings result;
  const std::string panic = panic_text(console_);
  const auto status = read_file(run_folder_ + "/status");
  const bool booted = ::access((run_folder_ + "/booted").c_str(), F_OK) == 0;
  if (!panic.empty()) {
    outcome_ = "panicked";
    reason_ = "the guest's kernel panicked: " + panic;
  } else if (outcome_.empty() && !status) {
    outcome_ = booted ? "panicked" : "not_started";
    reason_ = fmt::format("the guest's kernel ended {}; its last words:\n{}",
                          booted ? "without a status" : "before its init came up", last_lines(console_, 12));
  }
  result.add("outcome", outcome_);
  result.add("reason", reason_);
  if (status) {
    const Settings guest = Settings::parse(*status);
    for (const char* key : {"release", "mount_errno", "exit", "unmounted"})
      if (const std::string value = guest.get(key); !value.empty()) result.add(key, value);
  }
  const auto kernel_log = read_file(run_folder_ + "/dmesg");
  result.add("kernel_log", kernel_log ? *kernel_log : console_);
  if (const auto text = read_file(run_folder_ + "/mountstats")) result.add("mountstats", *text);
  result.add("console", console_);
  if (booted_ != TimePoint{}) result.add("boot_ns", (booted_ - started_).count());
  result.add("total_ns", (clock_.now() - started_).count());
  return result;
}

}  // namespace pnfs::kernel
