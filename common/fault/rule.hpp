// One rule, parsed:
//
//   [on NODE,...] before|after|reply POINT,... {CONDITION} do ACTION {then ACTION}
//
// RULES.md is the user's page.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/fault/action.hpp"
#include "common/fault/condition.hpp"
#include "common/fault/vocabulary.hpp"

namespace pnfs::fault {

struct Rule {
  std::string text;
  std::vector<std::string> nodes;    // patterns; empty: every node
  std::vector<const Point*> points;  // of one domain; in the vocabulary
  Stage stage = Stage::before;
  std::vector<Condition> conditions;
  Limits limits;
  std::vector<std::unique_ptr<Action>> actions;

  bool names_node(std::string_view node) const;
  // Whether the rule's points are met: the operation of the context or, for a reply, any operation of its COMPOUND.
  bool names_point(const Context& context) const;
};

// The vocabulary must outlive the rule. Errors begin with "column N: " and say what was expected there.
Result<Rule> parse_rule(std::string_view text, const Vocabulary& vocabulary);

}  // namespace pnfs::fault
