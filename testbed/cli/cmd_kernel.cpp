// pnfslab kernel: the kernels that can be the client.
#include "testbed/cli/command.hpp"
#include "testbed/kernel/catalog.hpp"

namespace pnfs::cli {

namespace {

int list() {
  fmt::print("{:<14} {:<12} {}\n", "name", "release", "where");
  for (const kernel::KnownKernel& each : kernel::list_kernels()) {
    const std::string where = each.path.empty() ? "not here; fetch it: pnfslab kernel add " + each.name : each.path;
    fmt::print("{:<14} {:<12} {}\n", each.name, each.release.empty() ? "-" : each.release, where);
  }
  return 0;
}

int add(const std::string& name) {
  const auto added = kernel::add_kernel(name, [](std::string_view step) { fmt::print(stderr, "{}\n", step); });
  if (!added) return report("kernel add", added.error());
  fmt::print("{} is Linux {}; try: pnfslab client --kernel {} -- uname -r\n", name, added->release, name);
  return 0;
}

}  // namespace

void add_kernel(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("kernel", "List and fetch kernels that can be the client");
  sub->require_subcommand(1);
  auto* list_command = sub->add_subcommand("list", "Show the kernels that --kernel knows by name");
  list_command->callback([&action] { action = list; });
  auto* add_command = sub->add_subcommand("add",
                                          "Fetch a kernel into the cache; nothing is installed\n"
                                          "Example: pnfslab kernel add debian-6.12");
  auto name = std::make_shared<std::string>();
  add_command->add_option("name", *name, "debian-5.10 or debian-6.12")->required();
  add_command->callback([name, &action] { action = [name] { return add(*name); }; });
}

}  // namespace pnfs::cli
