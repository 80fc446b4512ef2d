// pnfslab status: which servers run where, and how they are.
#include <nlohmann/json.hpp>

#include "testbed/cli/command.hpp"
#include "testbed/lab/lab.hpp"
#include "testbed/live/text.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string state = default_state_folder();
  bool as_json = false;
};

// What each server says of itself, by its name; nothing of one that does not answer.
std::map<std::string, live::Row> what_they_say(const LabState& state) {
  std::map<std::string, live::Row> said;
  if (auto rows = live::fetch(state, {.table = "status"}))
    for (const live::Row& row : rows->rows) said[row.value("at", "")] = row;
  return said;
}

// The documented form: {"mds":{...},"ds":[{...}],"target":{"url","pid"}}. A server that no longer runs has pid 0; the
// "live" of one that answers is its row of the table `status` (common/live/LIVE.md).
nlohmann::json to_json(const LabState& state, const std::map<std::string, live::Row>& said) {
  nlohmann::json out{{"profile", state.profile},
                     {"topology", state.topology()},
                     {"state", state.folder},
                     {"ds", nlohmann::json::array()}};
  out["target"] = {{"url", state.store_url}, {"pid", 0}};
  for (const Server& s : state.servers) {
    const pid_t pid = is_running(s) ? s.pid : 0;
    if (s.role == "target") out["target"]["pid"] = pid;
    if (s.role == "mds")
      out["mds"] = {{"address", s.address}, {"port", s.port}, {"pid", pid}, {"export", state.export_path}};
    if (s.role == "ds") out["ds"].push_back({{"name", s.name}, {"address", s.address}, {"port", s.port}, {"pid", pid}});
    const auto live = said.find(s.name);
    if (live == said.end()) continue;
    auto& own = s.role == "ds" ? out["ds"].back() : out[s.role];
    own["live"] = live->second;
  }
  return out;
}

// "3 clients, 12 opens": what is not nothing.
std::string busy_with(const live::Row& row) {
  std::string out;
  for (const std::string what : {"client", "session", "open", "lock", "delegation", "layout", "grant"})
    if (const uint64_t count = row.value(what + "s", uint64_t{0}); count != 0)
      out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", count, what, count == 1 ? "" : "s");
  return out;
}

std::string about_the_volume(const live::Row& mds) {
  const live::Row& volume = mds["volume"];
  std::string out = fmt::format("\nvolume   {}, {} of {} free, epoch {}, write epoch {}\n", live::cell(volume, "name"),
                                live::human_bytes(volume.value("free_bytes", uint64_t{0})),
                                live::human_bytes(volume.value("total_bytes", uint64_t{0})), live::cell(mds, "epoch"),
                                live::cell(volume, "write_epoch"));
  const live::Row& grace = mds["grace"];
  if (grace.value("active", false))
    out += fmt::format("grace    {} s left, clients to wait for: {}\n", live::cell(grace, "left_s"),
                       live::cell(grace, "waiting_for"));
  return out;
}

int status(const Options& options) {
  const auto state = load_state(options.state);
  if (!state) return report("status", state.error());
  bool all = true;
  for (const Server& s : state->servers) all &= is_running(s);
  if (state->network && !is_running(*state->network)) {
    all = false;
    fmt::print(stderr, "pnfslab status: the network of the hosts is gone\n");
  }
  auto said = what_they_say(*state);
  if (options.as_json) {
    fmt::print("{}\n", to_json(*state, said).dump(2));
  } else {
    fmt::print("profile {}   volume {}\n", state->profile, state->store_url);
    fmt::print("{:<8} {:<24} {:>8}  {}\n", "server", "address", "pid", "state");
    for (const Server& s : state->servers) {
      std::string how = is_running(s) ? "up" : "gone (see " + state->log_file(s.name) + ")";
      if (const auto live = said.find(s.name); live == said.end()) {
        if (is_running(s)) how += ", does not answer";
      } else if (const std::string busy = busy_with(live->second); !busy.empty()) {
        how += "; " + busy;
      }
      fmt::print("{:<8} {:<24} {:>8}  {}\n", s.name, fmt::format("{}:{}", s.address, s.port), s.pid, how);
    }
    if (const auto mds = said.find("mds"); mds != said.end()) fmt::print("{}", about_the_volume(mds->second));
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
