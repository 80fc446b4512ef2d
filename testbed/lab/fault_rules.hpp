// The fault rules of a whole lab (common/fault/RULES.md): what they may name, which servers one is for, and those in
// force in the servers that run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/fault/engine.hpp"
#include "common/fault/rule.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

// Every point of every server.
const fault::Vocabulary& lab_vocabulary();

// A server of this role ("target", "mds", "ds") and name could act on the rule.
bool concerns(const fault::Rule& rule, std::string_view role, std::string_view name);

struct NodeRule {
  std::string node;
  fault::RuleState state;
  // "mds:3": how the command line names it.
  std::string name() const { return fmt::format("{}:{}", node, state.id); }
};

// Adds the rule at every running server that it concerns, at all of them or none. invalid: with the column in the rule;
// not_found: it concerns no server of this lab.
Result<std::vector<NodeRule>> add_rule(const LabState& lab, std::string_view text);
// Of every server that runs, with the counts of now.
Result<std::vector<NodeRule>> list_rules(const LabState& lab);
// By name ("mds:3").
Result<void> remove_rule(const LabState& lab, std::string_view name);
Result<void> clear_rules(const LabState& lab);

}  // namespace pnfs::lab
