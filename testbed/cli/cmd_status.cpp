// pnfslab status: which servers run where.
#include <nlohmann/json.hpp>

#include "testbed/cli/command.hpp"
#include "testbed/lab/lab.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string state = default_state_folder();
  bool as_json = false;
};

// The documented form: {"mds":{...},"ds":[{...}],"target":{"url","pid"}}. A server that no longer runs has pid 0.
nlohmann::json to_json(const LabState& state) {
  nlohmann::json out{{"profile", state.profile}, {"state", state.folder}, {"ds", nlohmann::json::array()}};
  out["target"] = {{"url", state.store_url}, {"pid", 0}};
  for (const Server& s : state.servers) {
    const pid_t pid = is_running(s) ? s.pid : 0;
    if (s.role == "target") out["target"]["pid"] = pid;
    if (s.role == "mds")
      out["mds"] = {{"address", s.address}, {"port", s.port}, {"pid", pid}, {"export", state.export_path}};
    if (s.role == "ds") out["ds"].push_back({{"name", s.name}, {"address", s.address}, {"port", s.port}, {"pid", pid}});
  }
  return out;
}

int status(const Options& options) {
  const auto state = load_state(options.state);
  if (!state) return report("status", state.error());
  bool all = true;
  for (const Server& s : state->servers) all &= is_running(s);
  if (options.as_json) {
    fmt::print("{}\n", to_json(*state).dump(2));
  } else {
    fmt::print("profile {}   volume {}\n", state->profile, state->store_url);
    fmt::print("{:<8} {:<24} {:>8}  {}\n", "server", "address", "pid", "state");
    for (const Server& s : state->servers) {
      fmt::print("{:<8} {:<24} {:>8}  {}\n", s.name, fmt::format("{}:{}", s.address, s.port), s.pid,
                 is_running(s) ? "up" : "gone (see " + state->log_file(s.name) + ")");
    }
  }
  return all ? 0 : kExitFailed;
}

}  // namespace

void add_status(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("status",
                                 "Show the servers of a lab; exit code 1 when one of them is gone\n"
                                 "Example: pnfslab status --json | jq .mds.port");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_flag("--json", options->as_json, "Machine-readable");
  sub->callback([options, &action] { action = [options] { return status(*options); }; });
}

}  // namespace pnfs::cli
