// pnfslab client: a command in a real Linux kernel that has the export mounted.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <optional>
#include <thread>

#include "testbed/cli/command.hpp"
#include "testbed/cli/terminal.hpp"
#include "testbed/lab/guest_run.hpp"
#include "testbed/lab/interrupt.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string state = default_state_folder();
  std::string kernel;
  std::string modules;
  std::string vers = "4.1";
  std::string mount_options;
  std::string shared;
  unsigned count = 1;
  unsigned memory_mib = 256;
  unsigned timeout_seconds = 120;
  std::string second_address;
  std::string capture;
  GuestNetwork network;
  bool terminal = false;
  bool no_layouts = false;
  bool kernel_log = false;
  bool mountstats = false;
  std::vector<std::string> command;
};

// A guest per file: FILE, FILE.2, FILE.3.
std::string capture_file(const Options& options, unsigned number) {
  return options.capture.empty() || number == 1 ? options.capture : fmt::format("{}.{}", options.capture, number);
}

void add_streams(const Options& options, kernel::GuestOptions& guest) {
  // What is piped into us is the command's input. A terminal is read only for a guest that was given one.
  guest.terminal = options.terminal && isatty(STDOUT_FILENO) != 0;
  if (options.count == 1 && (guest.terminal || isatty(STDIN_FILENO) == 0)) guest.input_fd = STDIN_FILENO;
  if (guest.terminal) {
    const TerminalSize size = terminal_size(STDOUT_FILENO);
    guest.terminal_rows = size.rows;
    guest.terminal_columns = size.columns;
    if (const char* kind = std::getenv("TERM")) guest.environment["TERM"] = kind;
  }
  guest.on_output = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  guest.on_error_output = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
}

kernel::GuestOptions guest_options(const Options& options, kernel::GuestOptions guest, unsigned number) {
  guest.number = number;
  guest.kernel_path = options.kernel;
  guest.modules_path = options.modules;
  guest.vers = options.vers;
  guest.mount_options = options.mount_options;
  guest.shared_directory = options.shared;
  guest.memory_mib = options.memory_mib;
  guest.timeout = std::chrono::seconds(options.timeout_seconds);
  guest.command = options.command;
  if (options.no_layouts) guest.kernel_arguments.emplace_back("modprobe.blacklist=nfs_layout_nfsv41_files");
  guest.capture_file = capture_file(options, number);
  if (!options.second_address.empty()) {
    const auto mds = std::find_if(guest.servers.begin(), guest.servers.end(), [](auto& s) { return s.node == "mds"; });
    if (mds != guest.servers.end()) {
      kernel::ServerPort second = *mds;
      second.address = options.second_address;
      guest.servers.push_back(second);
    }
  }
  add_streams(options, guest);
  return guest;
}

int show(const Options& options, const Result<kernel::GuestResult>& ran) {
  if (!ran) {
    report("client", ran.error());
    return kExitCannotTry;
  }
  if (!ran->reason.empty()) fmt::print(stderr, "pnfslab client: {}\n", ran->reason);
  if (!ran->capture_problem.empty()) fmt::print(stderr, "pnfslab client: {}\n", ran->capture_problem);
  if (options.kernel_log) fmt::print(stderr, "{}", ran->kernel_log);
  if (options.mountstats) fmt::print("{}", ran->mountstats);
  for (const std::string& line : ran->kernel_problems) fmt::print(stderr, "guest kernel: {}\n", line);
  return ran->exit_code;
}

Result<std::vector<kernel::GuestOptions>> all_guests(const Options& options) {
  std::vector<kernel::GuestOptions> guests;
  if (options.network.server.empty()) {
    const auto lab = load_state(options.state);
    if (!lab) return lab.error();
    for (unsigned number = 1; number <= options.count; ++number) {
      auto placed = guest_options_for(*lab, number);
      if (!placed) return placed.error();
      guests.push_back(guest_options(options, std::move(*placed), number));
    }
    return guests;
  }
  for (unsigned number = 1; number <= options.count; ++number) {
    auto attached = guest_options_for(options.network, number);
    if (!attached) return attached.error();
    guests.push_back(guest_options(options, std::move(*attached), number));
  }
  return guests;
}

int client(const Options& options) {
  auto wanted = all_guests(options);
  if (!wanted) {
    report("client", wanted.error());
    return kExitCannotTry;
  }
  const InterruptGuard guard;
  // Guests are started one after the other (that is quick) and waited for together.
  std::vector<std::unique_ptr<kernel::Guest>> guests;
  std::deque<StopOnInterrupt> stoppers;
  std::optional<RawTerminal> raw;
  for (kernel::GuestOptions& each : *wanted) {
    const bool terminal = each.terminal;
    auto guest = kernel::start_guest(std::move(each));
    if (!guest) return show(options, guest.error());
    guests.push_back(std::move(*guest));
    stoppers.emplace_back(*guests.back());
    if (terminal && !raw) raw.emplace(STDIN_FILENO);
  }
  std::vector<kernel::GuestResult> results(guests.size());
  std::vector<std::jthread> waiters;
  for (size_t i = 0; i < guests.size(); ++i) waiters.emplace_back([&, i] { results[i] = guests[i]->wait(); });
  waiters.clear();
  raw.reset();
  int code = 0;
  for (const auto& result : results) {
    const int one = show(options, result);
    if (code == 0) code = one;
  }
  return code;
}

}  // namespace

void add_guest_network(CLI::App& sub, GuestNetwork& network) {
  sub.add_option("--server", network.server,
                 "ADDRESS:PORT of an MDS that is not of this machine's lab; the guest is then attached to the network")
      ->envname("PNFSLAB_SERVER");
  sub.add_option("--guest-address", network.guest_address, "The attached guest's ADDRESS/PREFIX there")
      ->envname("PNFSLAB_GUEST_ADDRESS");
  sub.add_option("--interface", network.interface, "The interface it is attached to (default: the one in that network)")
      ->envname("PNFSLAB_GUEST_INTERFACE");
  sub.add_option("--gateway", network.gateway, "Its default gateway")->envname("PNFSLAB_GUEST_GATEWAY");
}

void add_client(CLI::App& app, Action& action) {
  auto* sub =
      app.add_subcommand("client",
                         "Run a command in a real Linux kernel with the export mounted at /mnt/pnfs\n"
                         "Example: pnfslab client -- sh -c 'dd if=/dev/zero of=/mnt/pnfs/f bs=1M count=8 conv=fsync'\n"
                         "Input that is piped in is the command's. Exit code: its own; 32 when the mount failed; 125 "
                         "when no kernel could be started");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("--kernel", options->kernel,
                  "A kernel that `pnfslab kernel list` shows, or the path of a bzImage or a User-Mode Linux");
  sub->add_option("--modules", options->modules, "Its modules folder; a build tree is one");
  sub->add_option("--vers", options->vers, "4.1 or 4.2; empty lets the client choose")->capture_default_str();
  sub->add_option("-o,--mount-options", options->mount_options, "Further mount options");
  sub->add_option("--share", options->shared, "A folder of the host, writable in the guest at /mnt/shared");
  sub->add_option("--count", options->count, "How many clients run the command at once")
      ->check(CLI::Range(1u, 50u))
      ->capture_default_str();
  sub->add_option("--memory", options->memory_mib, "MiB of memory for each")->capture_default_str();
  sub->add_option("--timeout", options->timeout_seconds, "Seconds from start to power-off")->capture_default_str();
  sub->add_option("--capture", options->capture, "Write all packets between guest and servers to this pcap file");
  sub->add_flag("-t,--tty", options->terminal, "Give the command a terminal when stdout is one: -t -- bash");
  add_guest_network(*sub, options->network);
  sub->add_flag("--no-layouts", options->no_layouts, "Keep the kernel from loading the files layout driver");
  sub->add_option("--second-address", options->second_address,
                  "Let the MDS be reached at this address of the guest's network too (10.77.N.x)");
  sub->add_flag("--kernel-log", options->kernel_log, "Print the guest's kernel log on stderr afterwards");
  sub->add_flag("--mountstats", options->mountstats, "Print the guest's /proc/self/mountstats afterwards");
  sub->add_option("command", options->command, "The command, after --");
  sub->callback([options, &action] { action = [options] { return client(*options); }; });
}

}  // namespace pnfs::cli
