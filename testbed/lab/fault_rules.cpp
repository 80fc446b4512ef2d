#include "testbed/lab/fault_rules.hpp"

#include "common/compound/fault_points.hpp"
#include "common/control/control_service.hpp"
#include "common/fault/command.hpp"
#include "testbed/lab/node_command.hpp"
#include "testbed/target/rule_hook.hpp"

namespace pnfs::lab {

namespace {

Result<std::string> tell(const LabState& lab, const std::string& node, const std::string& command) {
  auto answer = send_command(lab.socket_file(node), "fault " + command);
  if (!answer) return answer.error().with_context(node);
  return answer;
}

}  // namespace

const fault::Vocabulary& lab_vocabulary() {
  static const fault::Vocabulary all = [] {
    fault::Vocabulary vocabulary;
    compound::add_nfs_points(vocabulary);
    control::add_control_points(vocabulary);
    target::add_scsi_points(vocabulary);
    return vocabulary;
  }();
  return all;
}

bool concerns(const fault::Rule& rule, std::string_view role, std::string_view name) {
  const bool at_target = rule.points.front()->domain == fault::Domain::scsi;
  return at_target == (role == "target") && rule.names_node(name);
}

Result<std::vector<NodeRule>> add_rule(const LabState& lab, std::string_view text) {
  const auto rule = fault::parse_rule(text, lab_vocabulary());
  if (!rule) return rule.error();
  std::vector<NodeRule> added;
  Result<void> done;
  for (const Server& server : lab.servers) {
    if (!concerns(*rule, server.role, server.name)) continue;
    auto answer = tell(lab, server.name, fmt::format("add {}", text));
    if (!answer) {
      done = answer.error();
      break;
    }
    NodeRule one{.node = server.name, .state = {}};
    one.state.id = static_cast<fault::RuleId>(std::strtoul(answer->c_str(), nullptr, 10));
    one.state.text = text;
    added.push_back(std::move(one));
  }
  if (done && added.empty()) done = error(Errc::not_found, "no server of this lab is one that the rule is about");
  if (done) return added;
  for (const NodeRule& one : added) (void)remove_rule(lab, one.name());
  return done.error();
}

Result<std::vector<NodeRule>> list_rules(const LabState& lab) {
  std::vector<NodeRule> out;
  for (const Server& server : lab.servers) {
    if (!is_running(server)) continue;
    auto answer = tell(lab, server.name, "list");
    if (!answer) return answer.error();
    auto rules = fault::parse_list(*answer);
    if (!rules) return rules.error().with_context(server.name);
    for (fault::RuleState& state : *rules) out.push_back({server.name, std::move(state)});
  }
  return out;
}

Result<void> remove_rule(const LabState& lab, std::string_view name) {
  const size_t colon = name.find(':');
  if (colon == name.npos || lab.find(name.substr(0, colon)) == nullptr)
    return error(Errc::invalid, "'{}' is no rule of this lab; `pnfslab fault list` shows them, for example mds:1",
                 name);
  auto answer = tell(lab, std::string(name.substr(0, colon)), fmt::format("remove {}", name.substr(colon + 1)));
  if (!answer) return answer.error();
  return {};
}

Result<void> clear_rules(const LabState& lab) {
  for (const Server& server : lab.servers) {
    if (!is_running(server)) continue;
    if (auto answer = tell(lab, server.name, "clear"); !answer) return answer.error();
  }
  return {};
}

}  // namespace pnfs::lab
