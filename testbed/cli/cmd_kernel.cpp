// pnfslab kernel: the kernels that can be the client.
#include "testbed/cli/command.hpp"
#include "testbed/kernel/catalog.hpp"
#include "testbed/kernel/guest.hpp"
#include "testbed/lab/interrupt.hpp"

namespace pnfs::cli {

namespace {

int list() {
  fmt::print("{:<18} {:<20} {}\n", "name", "release", "where");
  for (const kernel::KnownKernel& each : kernel::list_kernels()) {
    const std::string where = each.path.empty() ? "not here; fetch it: pnfslab kernel add " + each.name : each.path;
    fmt::print("{:<18} {:<20} {}\n", each.name, each.release.empty() ? "-" : each.release, where);
  }
  return 0;
}

int add(const std::vector<std::string>& names) {
  const auto say = [](std::string_view step) { fmt::print(stderr, "{}\n", step); };
  const auto added =
      names.front().ends_with(".deb") ? kernel::add_packages(names, say) : kernel::add_kernel(names.front(), say);
  if (!added) return report("kernel add", added.error());
  fmt::print("{0} is Linux {1}; try: pnfslab client --kernel {0} -- uname -r\n", added->name, added->release);
  return 0;
}

int snapshot(const std::string& name, const std::string& modules) {
  const lab::InterruptGuard guard;
  kernel::GuestOptions options;
  options.kernel_path = name;
  options.modules_path = modules;
  options.mount = false;
  options.snapshot = true;
  fmt::print(stderr, "booting {} once; without KVM this takes a minute\n", name);
  auto guest = kernel::start_guest(std::move(options));
  if (!guest) {
    report("kernel snapshot", guest.error());
    return kExitCannotTry;
  }
  const lab::StopOnInterrupt stopper(**guest);
  const kernel::GuestResult result = (*guest)->wait();
  if (!result.reason.empty()) {
    fmt::print(stderr, "pnfslab kernel snapshot: {}\n", result.reason);
    return result.exit_code;
  }
  fmt::print("saved; runs with --kernel {} now start from there\n", name);
  return 0;
}

}  // namespace

void add_kernel(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("kernel", "List and fetch kernels that can be the client\nExample: pnfslab kernel list");
  sub->require_subcommand(1);
  auto* list_command = sub->add_subcommand("list", "Show the kernels that --kernel knows by name\nExample: pnfslab kernel list");
  list_command->callback([&action] { action = list; });
  auto* add_command = sub->add_subcommand("add",
                                          "Fetch a kernel into the cache, or take one from its Debian packages; "
                                          "nothing is installed\n"
                                          "Example: pnfslab kernel add debian-6.12\n"
                                          "Example: pnfslab kernel add ./linux-image-6.16.3_amd64.deb");
  auto name = std::make_shared<std::string>();
  auto names = std::make_shared<std::vector<std::string>>();
  add_command->add_option("name", *names, "As `pnfslab kernel list` shows it, or .deb files of one kernel")->required();
  auto* snapshot_command =
      sub->add_subcommand("snapshot",
                          "Boot a QEMU kernel once and keep the machine, so that later runs start in seconds\n"
                          "Example: pnfslab kernel snapshot debian-6.12-amd64\n"
                          "A kernel that has changed since is booted as if there were none");
  auto modules = std::make_shared<std::string>();
  snapshot_command->add_option("name", *name, "As `pnfslab kernel list` shows it, or the path of a bzImage")
      ->required();
  snapshot_command->add_option("--modules", *modules, "Its modules folder");
  snapshot_command->callback(
      [name, modules, &action] { action = [name, modules] { return snapshot(*name, *modules); }; });
  add_command->callback([names, &action] { action = [names] { return add(*names); }; });
}

}  // namespace pnfs::cli
