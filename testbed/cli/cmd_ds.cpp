// pnfslab ds: data servers of a running lab come, drain and go.
#include <nlohmann/json.hpp>

#include "testbed/cli/command.hpp"
#include "testbed/lab/data_servers.hpp"
#include "testbed/lab/lab.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct DsOptions {
  std::string state = default_state_folder();
  std::string name;
  unsigned count = 1;
  unsigned timeout_s = 180;
  bool as_json = false;
  bool no_wait = false;
};

int ds_list(const DsOptions& options) {
  const auto state = load_state(options.state);
  if (!state) return report("ds list", state.error());
  const auto servers = list_data_servers(*state);
  if (!servers) return report("ds list", servers.error());
  if (options.as_json) {
    auto out = nlohmann::json::array();
    for (const auto& s : *servers)
      out.push_back({{"name", s.name},
                     {"state", s.state},
                     {"draining", s.draining},
                     {"used", s.used},
                     {"addresses", s.addresses}});
    fmt::print("{}\n", out.dump(2));
    return 0;
  }
  fmt::print("{:<8} {:<8} {:<9} {:<13} {}\n", "server", "state", "layouts", "", "addresses");
  for (const auto& s : *servers)
    fmt::print("{:<8} {:<8} {:<9} {:<13} {}\n", s.name, s.state, s.used ? "name it" : "none", s.draining ? "draining" : "",
               s.addresses);
  return 0;
}

int ds_add(const DsOptions& options) {
  auto state = load_state(options.state);
  if (!state) return report("ds add", state.error());
  for (unsigned i = 0; i < options.count; ++i) {
    const auto added = add_data_server(*state);
    if (!added) return report("ds add", added.error());
    fmt::print("{} at {}:{}\n", added->name, added->address, added->port);
  }
  return 0;
}

int ds_start(const DsOptions& options) {
  auto state = load_state(options.state);
  if (!state) return report("ds start", state.error());
  const auto done = start_again(*state, options.name);
  return done ? 0 : report("ds start", done.error());
}

Result<void> drain_and_wait(const DsOptions& options, const LabState& state) {
  if (auto told = drain_data_server(state, options.name, true); !told) return told;
  if (options.no_wait) return {};
  bool said = false;
  return wait_unused(state, options.name, std::chrono::seconds(options.timeout_s), [&] {
    if (!std::exchange(said, true)) fmt::print(stderr, "waiting for clients to return layouts that name {}\n", options.name);
  });
}

int ds_drain(const DsOptions& options) {
  const auto state = load_state(options.state);
  if (!state) return report("ds drain", state.error());
  const auto done = drain_and_wait(options, *state);
  return done ? 0 : report("ds drain", done.error());
}

int ds_undrain(const DsOptions& options) {
  const auto state = load_state(options.state);
  if (!state) return report("ds undrain", state.error());
  const auto done = drain_data_server(*state, options.name, false);
  return done ? 0 : report("ds undrain", done.error());
}

int ds_remove(const DsOptions& options) {
  auto state = load_state(options.state);
  if (!state) return report("ds remove", state.error());
  auto done = drain_and_wait(options, *state);
  if (done) done = remove_data_server(*state, options.name, std::chrono::seconds(options.timeout_s));
  return done ? 0 : report("ds remove", done.error());
}

}  // namespace

void add_ds(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("ds",
                                 "Add, drain and remove data servers of a running lab\n"
                                 "Example: pnfslab ds add; pnfslab ds drain ds1; pnfslab ds remove ds1");
  sub->require_subcommand(1);
  auto options = std::make_shared<DsOptions>();
  auto command = [&](const char* name, const char* help, int (*run)(const DsOptions&)) {
    auto* each = sub->add_subcommand(name, help);
    each->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
    each->callback([options, run, &action] { action = [options, run] { return run(*options); }; });
    return each;
  };
  const auto waits = [&](CLI::App* each) {
    each->add_option("name", options->name, "ds1, ds2, ...")->required();
    each->add_option("--timeout", options->timeout_s, "Seconds to wait; a client loses its layout after a lease")
        ->capture_default_str();
  };
  command("list", "Show them as the metadata server sees them\nExample: pnfslab ds list --json", ds_list)
      ->add_flag("--json", options->as_json, "Machine-readable");
  command("add",
          "Start one more (or COUNT), among hosts on a host of its own; new layouts name it\n"
          "Example: pnfslab ds add 2",
          ds_add)
      ->add_option("count", options->count, "How many")
      ->check(CLI::Range(1u, lab::kMostDataServers - 1));
  command("start", "Start one again that has ended or was killed\nExample: pnfslab ds start ds1", ds_start)
      ->add_option("name", options->name, "ds1, ds2, ...")
      ->required();
  auto* drain = command("drain",
                        "New layouts do not name it, and those that do are recalled; returns when none does\n"
                        "Example: pnfslab ds drain ds1",
                        ds_drain);
  waits(drain);
  drain->add_flag("--no-wait", options->no_wait, "Return at once");
  command("undrain", "New layouts name it again\nExample: pnfslab ds undrain ds1", ds_undrain)->add_option("name", options->name, "ds1, ds2, ...")->required();
  waits(command("remove",
                "Drain it, end it (among hosts its host too), and have the metadata server forget it\n"
                "Example: pnfslab ds remove ds1",
                ds_remove));
}

}  // namespace pnfs::cli
