// pnfslab client: a command in a real Linux kernel that has the export mounted.
#include <cstdio>
#include <thread>

#include "testbed/cli/command.hpp"
#include "testbed/lab/guest_run.hpp"

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
  bool no_layouts = false;
  bool kernel_log = false;
  bool mountstats = false;
  std::vector<std::string> command;
};

kernel::GuestOptions guest_options(const Options& options, const LabState& lab, unsigned number) {
  kernel::GuestOptions guest = guest_options_for(lab);
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
  if (const Server* mds = lab.find("mds"); mds != nullptr && !options.second_address.empty())
    guest.servers.push_back({mds->name, lab.socket_file(mds->name), mds->port, options.second_address});
  guest.on_output = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  guest.on_error_output = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  return guest;
}

int show(const Options& options, const Result<kernel::GuestResult>& ran) {
  if (!ran) {
    report("client", ran.error());
    return kExitCannotTry;
  }
  if (!ran->reason.empty()) fmt::print(stderr, "pnfslab client: {}\n", ran->reason);
  if (options.kernel_log) fmt::print(stderr, "{}", ran->kernel_log);
  if (options.mountstats) fmt::print("{}", ran->mountstats);
  for (const std::string& line : ran->kernel_problems) fmt::print(stderr, "guest kernel: {}\n", line);
  return ran->exit_code;
}

int client(const Options& options) {
  const auto lab = load_state(options.state);
  if (!lab) {
    report("client", lab.error());
    return kExitCannotTry;
  }
  // Guests are started one after the other (that is quick) and waited for together.
  std::vector<std::unique_ptr<kernel::Guest>> guests;
  for (unsigned number = 1; number <= options.count; ++number) {
    auto guest = kernel::start_guest(guest_options(options, *lab, number));
    if (!guest) return show(options, guest.error());
    guests.push_back(std::move(*guest));
  }
  std::vector<kernel::GuestResult> results(guests.size());
  std::vector<std::jthread> waiters;
  for (size_t i = 0; i < guests.size(); ++i) waiters.emplace_back([&, i] { results[i] = guests[i]->wait(); });
  waiters.clear();
  int code = 0;
  for (const auto& result : results) {
    const int one = show(options, result);
    if (code == 0) code = one;
  }
  return code;
}

}  // namespace

void add_client(CLI::App& app, Action& action) {
  auto* sub =
      app.add_subcommand("client",
                         "Run a command in a real Linux kernel with the export mounted at /mnt/pnfs\n"
                         "Example: pnfslab client -- sh -c 'dd if=/dev/zero of=/mnt/pnfs/f bs=1M count=8 conv=fsync'\n"
                         "Exit code: the command's own; 32 when the mount failed; 125 when no kernel could be started");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("--kernel", options->kernel, "A User-Mode Linux kernel (default: the installed one)");
  sub->add_option("--modules", options->modules, "Its modules folder");
  sub->add_option("--vers", options->vers, "4.1 or 4.2; empty lets the client choose")->capture_default_str();
  sub->add_option("-o,--mount-options", options->mount_options, "Further mount options");
  sub->add_option("--share", options->shared, "A folder of the host, writable in the guest at /mnt/shared");
  sub->add_option("--count", options->count, "How many clients run the command at once")
      ->check(CLI::Range(1u, 50u))
      ->capture_default_str();
  sub->add_option("--memory", options->memory_mib, "MiB of memory for each")->capture_default_str();
  sub->add_option("--timeout", options->timeout_seconds, "Seconds from start to power-off")->capture_default_str();
  sub->add_flag("--no-layouts", options->no_layouts, "Keep the kernel from loading the files layout driver");
  sub->add_option("--second-address", options->second_address,
                  "Let the MDS be reached at this address of the guest's network too (10.77.N.x)");
  sub->add_flag("--kernel-log", options->kernel_log, "Print the guest's kernel log on stderr afterwards");
  sub->add_flag("--mountstats", options->mountstats, "Print the guest's /proc/self/mountstats afterwards");
  sub->add_option("command", options->command, "The command, after --");
  sub->callback([options, &action] { action = [options] { return client(*options); }; });
}

}  // namespace pnfs::cli
