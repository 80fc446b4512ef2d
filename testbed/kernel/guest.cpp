#include "testbed/kernel/guest.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "testbed/kernel/files.hpp"
#include "testbed/kernel/process.hpp"
#include "testbed/kernel/report.hpp"
#include "testbed/kernel/supervisor.hpp"

namespace pnfs::kernel {

using namespace std::chrono_literals;

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::exited:
      return "exited";
    case Outcome::mount_failed:
      return "mount_failed";
    case Outcome::panicked:
      return "panicked";
    case Outcome::timed_out:
      return "timed_out";
    case Outcome::interrupted:
      return "interrupted";
    case Outcome::not_started:
      return "not_started";
  }
  return "unknown";
}

namespace {

constexpr Duration kStartTimeout = 30s;
constexpr int kMountFailed = 32, kInterrupted = 130, kCouldNotTest = 125;  // as mount(8), sh and git bisect have it

int64_t to_ms(Duration value) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
}

Result<void> check(const GuestOptions& options) {
  if (options.number < 1 || options.number > 250)
    return error(Errc::invalid, "guest number {} is not between 1 and 250", options.number);
  if (options.memory_mib < 64 || options.memory_mib > 65536)
    return error(Errc::invalid, "guest memory {} MiB is not between 64 and 65536", options.memory_mib);
  if (options.hostname.size() > 64) return error(Errc::invalid, "hostname '{}' is too long", options.hostname);
  if (options.guest_prefix < 1 || options.guest_prefix > 30)
    return error(Errc::invalid, "the prefix length {} of the guest's network is not between 1 and 30",
                 options.guest_prefix);
  if (options.timeout <= 0ns) return error(Errc::invalid, "the guest's time-out must be positive");
  return {};
}

Settings to_settings(const GuestOptions& options) {
  Settings settings;
  settings.add("number", options.number);
  settings.add("hostname", options.hostname.empty() ? fmt::format("client{}", options.number) : options.hostname);
  settings.add("kernel", options.kernel_path);
  settings.add("modules", options.modules_path);
  settings.add("memory_mib", options.memory_mib);
  settings.add("timeout_ms", to_ms(options.timeout));
  settings.add("mount", options.mount ? 1 : 0);
  settings.add("snapshot", options.snapshot ? 1 : 0);
  settings.add("mount_address", options.mount_address);
  settings.add("mount_port", options.mount_port);
  settings.add("mount_path", options.mount_path);
  settings.add("mount_point", options.mount_point);
  settings.add("vers", options.vers);
  settings.add("mount_options", options.mount_options);
  settings.add("mount_timeout_ms", to_ms(options.mount_timeout));
  settings.add("attach", options.attach_interface);
  settings.add("bridge", options.bridge);
  settings.add("bridge_namespace", options.bridge_namespace);
  settings.add("user_namespace", options.user_namespace);
  settings.add("guest_address", options.guest_address);
  settings.add("guest_prefix", options.guest_prefix);
  settings.add("guest_gateway", options.guest_gateway);
  if (!options.capture_file.empty()) settings.add("capture", std::filesystem::absolute(options.capture_file).string());
  settings.add("input", options.input_fd >= 0 ? 1 : 0);
  settings.add("tty", options.terminal ? 1 : 0);
  settings.add("rows", options.terminal_rows);
  settings.add("columns", options.terminal_columns);
  settings.add("working_directory", options.working_directory);
  if (!options.shared_directory.empty())
    settings.add("shared", std::filesystem::absolute(options.shared_directory).string());
  for (const std::string& value : options.kernel_arguments) settings.add("kernel_argument", value);
  for (const std::string& value : options.sysctls) settings.add("sysctl", value);
  for (const std::string& value : options.command) settings.add("arg", value);
  for (size_t i = 0; i < options.servers.size(); ++i) {
    const ServerPort& server = options.servers[i];
    const std::string prefix = fmt::format("server{}.", i);
    settings.add(prefix + "node", server.node);
    settings.add(prefix + "control", std::filesystem::absolute(server.control_path).string());
    settings.add(prefix + "port", server.port);
    settings.add(prefix + "address", server.address);
  }
  settings.add("servers", static_cast<long long>(options.servers.size()));
  for (const auto& [name, value] : options.environment) settings.add("env", name + "=" + value);
  return settings;
}

GuestResult to_result(const Settings& settings) {
  GuestResult result;
  const std::string outcome = settings.get("outcome");
  result.mount_errno = int(settings.number("mount_errno"));
  result.reason = settings.get("reason");
  result.kernel_release = settings.get("release");
  result.kernel_log = settings.get("kernel_log");
  result.mountstats = settings.get("mountstats");
  result.console = settings.get("console");
  result.boot_time = Duration(settings.number("boot_ns"));
  result.total_time = Duration(settings.number("total_ns"));
  result.unmount_hung = settings.number("unmounted", 1) == 0;
  result.kernel_problems = kernel_problems(result.kernel_log);
  result.captured_packets = uint64_t(settings.number("captured"));
  result.capture_problem = settings.get("capture_error");
  if (const long long dropped = settings.number("capture_dropped"); dropped != 0)
    result.capture_problem = fmt::format("{} packets are missing in the capture", dropped);
  if (outcome.empty()) {
    result.outcome = result.mount_errno != 0 ? Outcome::mount_failed : Outcome::exited;
    result.exit_code = result.mount_errno != 0 ? kMountFailed : int(settings.number("exit", kCouldNotTest));
    if (result.mount_errno != 0)
      result.reason = fmt::format("the guest's mount failed: {}", std::strerror(result.mount_errno));
    return result;
  }
  for (const Outcome each : {Outcome::panicked, Outcome::timed_out, Outcome::interrupted, Outcome::not_started})
    if (outcome == to_string(each)) result.outcome = each;
  result.exit_code = result.outcome == Outcome::interrupted ? kInterrupted : kCouldNotTest;
  return result;
}

class SupervisedGuest final : public Guest {
 public:
  SupervisedGuest(GuestOptions options, pid_t pid, Pipe orders, Pipe output, Pipe error_output, Pipe results)
      : options_(std::move(options)),
        pid_(pid),
        orders_(orders.write_end.release()),
        output_(std::move(output.read_end)),
        error_output_(std::move(error_output.read_end)),
        results_(std::move(results.read_end)) {}

  ~SupervisedGuest() override {
    stop();
    // Their end makes the supervisor give up any output that nobody reads.
    output_.reset();
    error_output_.reset();
    results_.reset();
    reap();
  }

  Result<void> handshake() {
    if (auto sent = write_record(orders_, to_settings(options_)); !sent) return sent;
    const auto begun = read_record(results_.get(), kStartTimeout);
    if (!begun) return begun.error().with_context("the kernel client's supervisor did not start");
    if (begun->get("started") == "1") return {};
    return Error{static_cast<Errc>(begun->number("code")), begun->get("error")};
  }

  GuestResult wait() override {
    const std::function<void(std::string_view)> ignore = [](std::string_view) {};
    while (output_ || error_output_) {
      pollfd waits[] = {{output_.get(), POLLIN, 0}, {error_output_.get(), POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0) continue;
      if (waits[0].revents != 0) forward(output_, options_.on_output ? options_.on_output : ignore);
      if (waits[1].revents != 0) forward(error_output_, options_.on_error_output ? options_.on_error_output : ignore);
    }
    const auto result = read_record(results_.get(), 10s);
    reap();
    if (result) return to_result(*result);
    GuestResult lost;
    lost.outcome = stopped_ ? Outcome::interrupted : Outcome::not_started;
    lost.exit_code = stopped_ ? kInterrupted : kCouldNotTest;
    lost.reason = "the guest's supervisor ended without a result";
    return lost;
  }

  void stop() override {
    stopped_ = true;
    const int orders = orders_.exchange(-1);
    if (orders >= 0) ::close(orders);
  }

 private:
  static void forward(ScopedFd& from, const std::function<void(std::string_view)>& to) {
    char buffer[65536];
    const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) {
      from.reset();
    } else {
      to(std::string_view(buffer, size_t(got)));
    }
  }

  void reap() {
    if (pid_ <= 0) return;
    // Ending a guest takes milliseconds; a supervisor that does not manage takes the guest with it when it is killed.
    for (int i = 0; i < 1000; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
        pid_ = -1;
        return;
      }
      ::usleep(5000);
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  GuestOptions options_;
  pid_t pid_;
  std::atomic<int> orders_;
  std::atomic<bool> stopped_ = false;
  ScopedFd output_, error_output_, results_;
};

}  // namespace

Result<std::unique_ptr<Guest>> start_guest(GuestOptions options) {
  if (auto good = check(options); !good) return good.error();
  const auto program = supervisor_program();
  if (!program) return program.error();
  auto orders = make_pipe(), output = make_pipe(), error_output = make_pipe(), results = make_pipe();
  for (const auto* pipe : {&orders, &output, &error_output, &results})
    if (!*pipe) return pipe->error();
  const std::string label = options.hostname.empty() ? fmt::format("client{}", options.number) : options.hostname;
  std::vector<int> descriptors = {orders->read_end.get(), output->write_end.get(), error_output->write_end.get(),
                                  results->write_end.get()};
  ScopedFd input;
  if (options.input_fd >= 0) {
    auto lifted = lift(options.input_fd);
    if (!lifted) return lifted.error();
    input = std::move(*lifted);
    descriptors.push_back(input.get());
  }
  const auto pid = start_program(*program, {label}, descriptors);
  if (!pid) return pid.error();
  for (Pipe* pipe : {&*output, &*error_output, &*results}) pipe->write_end.reset();
  orders->read_end.reset();
  auto guest = std::make_unique<SupervisedGuest>(std::move(options), *pid, std::move(*orders), std::move(*output),
                                                 std::move(*error_output), std::move(*results));
  if (auto begun = guest->handshake(); !begun) return begun.error();
  return std::unique_ptr<Guest>(std::move(guest));
}

Result<GuestResult> run_guest(GuestOptions options) {
  auto guest = start_guest(std::move(options));
  if (!guest) return guest.error();
  return (*guest)->wait();
}

}  // namespace pnfs::kernel
