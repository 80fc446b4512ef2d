#include "testbed/inspect/lab_side.hpp"

#include "testbed/lab/fault_rules.hpp"
#include "testbed/lab/node_command.hpp"
#include "testbed/live/text.hpp"

namespace pnfs::inspect {

namespace {

constexpr std::string_view kJson = ".json";

Result<std::string> faults_text(const lab::LabState& lab) {
  const auto rules = lab::list_rules(lab);
  if (!rules) return rules.error();
  std::string out;
  for (const lab::NodeRule& rule : *rules)
    out +=
        fmt::format("{} matched {} hits {}: {}\n", rule.name(), rule.state.matched, rule.state.hits, rule.state.text);
  return out;
}

// "clear", "clear mds:1", or a rule, with or without "add".
Result<void> write_faults(const lab::LabState& lab, std::string_view line) {
  if (line == "clear") return lab::clear_rules(lab);
  if (line.starts_with("clear ")) return lab::remove_rule(lab, line.substr(6));
  if (line.starts_with("add ")) line.remove_prefix(4);
  if (auto added = lab::add_rule(lab, line); !added) return added.error();
  return {};
}

}  // namespace

const std::vector<std::string>& LabSide::live_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const std::string& table : live::table_names()) {
      all.push_back(table);
      all.push_back(table + std::string(kJson));
    }
    return all;
  }();
  return names;
}

Result<lab::LabState> LabSide::state() const {
  if (folder_.empty()) return error(Errc::closed, "the volume is not that of a lab that is up");
  auto state = lab::load_state(folder_);
  // A lab that is down is no fault of the line that was written.
  if (!state) return error(Errc::closed, "{}", state.error().reason);
  return state;
}

bool LabSide::up() const {
  const auto state = this->state();
  return state && std::any_of(state->servers.begin(), state->servers.end(), lab::is_running);
}

Result<std::string> LabSide::live(const std::string& name) const {
  const auto state = this->state();
  if (!state) return state.error();
  const bool json = name.ends_with(kJson);
  live::Query query;
  query.table = json ? name.substr(0, name.size() - kJson.size()) : name;
  query.limit = live::kMostRows;
  const auto rows = live::fetch(*state, query);
  if (!rows) return rows.error();
  return json ? rows->to_json().dump(2) + "\n" : live::text_of(*state, *rows);
}

Result<std::string> LabSide::tell_mds(const std::string& command) const {
  const auto state = this->state();
  if (!state) return state.error();
  for (const lab::Server& server : state->servers)
    if (server.role == "mds") return lab::send_command(state->socket_file(server.name), command);
  return error(Errc::not_found, "this lab has no metadata server");
}

Result<std::string> LabSide::read_control(std::string_view name) const {
  if (name == "pnfs_dlm_device" || name == "grace") return tell_mds(fmt::format("control {}", name));
  if (name == "recall") return std::string("layouts [FILE] | delegations [FILE] | fsid | all | slots COUNT\n");
  const auto state = this->state();
  if (!state) return state.error();
  return faults_text(*state);
}

Result<void> LabSide::write_control(std::string_view name, std::string_view line) const {
  if (name != "faults") {
    auto answer = tell_mds(fmt::format("control {} {}", name, line));
    return answer ? Result<void>{} : answer.error();
  }
  const auto state = this->state();
  return state ? write_faults(*state, line) : state.error();
}

}  // namespace pnfs::inspect
