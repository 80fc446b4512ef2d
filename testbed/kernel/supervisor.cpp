#include "testbed/kernel/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/netlink.hpp"
#include "testbed/kernel/qemu.hpp"
#include "testbed/kernel/report.hpp"

namespace pnfs::kernel {

namespace {

using namespace std::chrono_literals;

constexpr int kOrders = 0, kInput = 4;
constexpr Duration kOfferTimeout = 10s;
constexpr Duration kOfferPause = 50ms;
constexpr Duration kPanicGrace = 2s;
constexpr Duration kEmulationSlack = 180s;  // a machine without KVM boots slowly
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
  auto kernel = find_kernel(options_.get("kernel"), options_.get("modules"));
  if (!kernel) return kernel.error();
  kernel_ = *kernel;

  sigset_t stopping;
  ::sigemptyset(&stopping);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&stopping, number);
  ::sigprocmask(SIG_BLOCK, &stopping, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = ScopedFd(::signalfd(-1, &stopping, SFD_CLOEXEC | SFD_NONBLOCK));

  if (kernel_.kind == KernelKind::bzimage && !has_kvm()) deadline_ += kEmulationSlack;
  // An emulated serial line loses input bytes; the command gets none.
  has_input_ = options_.number("input") != 0 && kernel_.kind == KernelKind::uml;
  std::string initramfs;
  if (auto made = prepare_machine(initramfs); !made) return made;
  if (const std::string file = options_.get("capture"); !file.empty())
    if (auto done = capture_.prepare(file); !done) return done;
  if (auto done = make_surroundings(); !done) return done;
  if (capture_.prepared())
    if (auto done = capture_.begin(around_.capture_interface); !done) return done;
  if (auto done = offer_listeners(); !done) return done;
  if (auto done = write_configuration(); !done) return done;
  // Into the run folder, which is there only now.
  const std::string place = start_ == Start::save ? snapshot_.initramfs() : around_.run_folder + "/initramfs";
  if (!initramfs.empty())
    if (auto done = write_file(place, initramfs); !done) return done;
  return launch();
}

Supervisor::~Supervisor() {
  leave_surroundings(around_);
}

Result<void> Supervisor::make_surroundings() {
  const bool bridged = !options_.get("bridge").empty(), shared = !options_.get("attach").empty();
  auto around = bridged  ? bridged_surroundings(options_, guest_folder_)
                : shared ? shared_surroundings(options_)
                         : private_surroundings(options_, guest_folder_);
  if (!around) return around.error();
  around_ = std::move(*around);
  if (!bridged && !shared) return add_server_addresses();
  if (!bridged || kernel_.kind != KernelKind::bzimage) return {};
  // QEMU's own network translates addresses: the servers see connections from this interface.
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  return netlink->add_address(around_.guest_interface, around_.guest_address, around_.prefix);
}

Result<void> Supervisor::add_server_addresses() {
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  std::set<std::string> known{around_.server_address};
  for (long long i = 0; i < options_.number("servers"); ++i) {
    const std::string prefix = fmt::format("server{}.", i);
    ServerPort port{options_.get(prefix + "node"), options_.get(prefix + "control"),
                    uint16_t(options_.number(prefix + "port")), options_.get(prefix + "address")};
    if (port.address.empty()) port.address = around_.server_address;
    if (known.insert(port.address).second) {
      if (auto done = netlink->add_address(around_.capture_interface, port.address, 32); !done) return done;
    }
    offers_.emplace_back(std::move(port));
  }
  return {};
}

Result<void> Supervisor::offer_listeners() {
  for (ListenerOffer& offer : offers_) {
    auto sent = offer.send();
    // A data server that is not there yet gets its listener when it comes.
    const bool later = !sent && sent.error().code == Errc::not_found && offer.port().node.starts_with("ds");
    if (!sent && !later) return sent;
  }
  const TimePoint give_up = std::min(clock_.now() + kOfferTimeout, deadline_);
  for (ListenerOffer& offer : offers_) {
    while (offer.connected() && !offer.served()) {
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
                          "mount_timeout_ms", "working_directory", "shared", "tty", "rows", "columns"})
    if (const std::string value = options_.get(key); !value.empty()) conf.add(key, value);
  for (const char* key : {"arg", "env", "sysctl"})
    for (const std::string& value : options_.all(key)) conf.add(key, value);
  const std::string mount_address = options_.get("mount_address");
  conf.add("mount_address", mount_address.empty() ? around_.server_address : mount_address);
  conf.add("hostname", options_.get("hostname"));
  const bool in_qemu = kernel_.kind == KernelKind::bzimage;
  const long long number = options_.number("number", 1);
  conf.add("address", in_qemu ? qemu_guest_address(number) : around_.guest_address);
  conf.add("gateway", in_qemu ? qemu_gateway(number) : around_.gateway);
  conf.add("prefix", in_qemu ? 24 : around_.prefix);
  conf.add("output", in_qemu ? "/dev/ttyS1" : "/dev/ttyS0");
  conf.add("error_output", in_qemu ? "/dev/ttyS2" : "/dev/ttyS1");
  conf.add("input", has_input_ ? 1 : 0);
  // The guest looks for RELEASE/modules.dep below it.
  conf.add("modules", in_qemu ? std::filesystem::path(kernel_.modules).parent_path().string() : kernel_.modules);
  conf.add("init", guest_folder_ + "/init");
  if (start_ == Start::restore) {
    // The machine woke up in another time.
    conf.add("seconds", clock_.wall().seconds);
    if (auto done = make_go_pipe(); !done) return done;
  }
  if (!in_qemu) {
    const auto listed = build_tree_modules(kernel_);
    if (!listed) return listed.error();
    const std::string folder = around_.run_folder + "/modules";
    if (!listed->empty() && ::mkdir(folder.c_str(), 0755) == 0)
      if (auto done = write_file(folder + "/modules.dep", *listed); !done) return done;
  }
  // What a mount would load one by one through modprobe.
  for (const char* module : {"nfsv4", "nfs_layout_nfsv41_files"}) conf.add("module", module);
  return write_file(around_.run_folder + "/guest.conf", conf.bytes());
}

Result<void> Supervisor::launch() {
  auto console = make_pipe(), output = make_pipe(), error_output = make_pipe(), input = make_pipe();
  for (const auto* pipe : {&console, &output, &error_output, &input})
    if (!*pipe) return pipe->error();
  auto launch = Result<Launch>(uml_launch(kernel_, options_, guest_folder_, around_));
  if (kernel_.kind == KernelKind::bzimage)
    launch = qemu_launch(kernel_, options_, around_.run_folder, start_, snapshot_);
  if (!launch) return launch.error();
  KernelPipes pipes{console->write_end.get(), output->write_end.get(), error_output->write_end.get()};
  if (has_input_) {
    pipes.input = input->read_end.get();
    input_ = ScopedFd(kInput);
    input_pipe_ = std::move(input->write_end);
    ::fcntl(input_pipe_.get(), F_SETFL, O_NONBLOCK);
  }
  auto confined = start_kernel(*launch, pipes, around_.confined);
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
  ::kill(confined_.first, around_.confined ? SIGKILL : SIGTERM);
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
  if (go_) next = std::min(next, next_go_);
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
  watch(pending_input_.empty() ? input_.get() : -1);
  waits.push_back({pending_input_.empty() ? -1 : input_pipe_.get(), POLLOUT, 0});
  for (const ListenerOffer& offer : offers_) watch(offer.fd());
  if (::poll(waits.data(), waits.size(), outcome_.empty() ? to_poll_ms(until_next_deadline()) : 10'000) < 0) return;

  const auto ready = [&](size_t i) { return waits[i].revents != 0; };
  if (ready(1)) end("interrupted", "stopped by a signal");
  if (ready(2)) end("interrupted", "stopped");
  if (ready(3)) on_console();
  save_machine();
  wake_machine();
  if (ready(4)) relay(output_pipe_, STDOUT_FILENO);
  if (ready(5)) relay(error_pipe_, STDERR_FILENO);
  if (ready(6)) take_input();
  if (ready(7)) give_input();
  for (size_t i = 0; i < offers_.size(); ++i)
    if (ready(8 + i)) (void)offers_[i].on_readable();
  offer_again();
  if (booted_ == TimePoint{} && ::access((around_.run_folder + "/booted").c_str(), F_OK) == 0) booted_ = clock_.now();
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
  if (capture_.prepared()) {
    if (const auto counts = capture_.end()) {
      result.add("captured", static_cast<long long>(counts->packets));
      result.add("capture_dropped", static_cast<long long>(counts->dropped));
    } else {
      result.add("capture_error", counts.error().reason);
    }
  }
  const std::string panic = panic_text(console_);
  const auto status = read_file(around_.run_folder + "/status");
  const auto booted = read_file(around_.run_folder + "/booted");
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
  if (booted) result.add("release", *booted);
  if (status) {
    const Settings guest = Settings::parse(*status);
    for (const char* key : {"mount_errno", "exit", "unmounted"})
      if (const std::string value = guest.get(key); !value.empty()) result.add(key, value);
  }
  const auto kernel_log = read_file(around_.run_folder + "/dmesg");
  result.add("kernel_log", kernel_log ? *kernel_log : console_);
  if (const auto text = read_file(around_.run_folder + "/mountstats")) result.add("mountstats", *text);
  result.add("console", console_);
  if (booted_ != TimePoint{}) result.add("boot_ns", (booted_ - started_).count());
  result.add("total_ns", (clock_.now() - started_).count());
  return result;
}

}  // namespace pnfs::kernel
