// The engine's rules in words: what the control socket of a server and the FUSE control files understand.
//
//   add RULE          answers the rule's number
//   list              one line a rule: NUMBER TAB MATCHED TAB HITS TAB "here" or "elsewhere" TAB RULE
//   remove NUMBER     clear
//   points [fields]   every place a rule may name, as Vocabulary::describe() prints them
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/fault/engine.hpp"

namespace pnfs::fault {

// Errors: invalid (the words; of a rule with its column), not_found (no rule of that number).
Result<std::string> run_command(Engine& engine, const Vocabulary& vocabulary, std::string_view command);

// The answer to "list", read back. corrupt when it is none.
Result<std::vector<RuleState>> parse_list(std::string_view answer);

}  // namespace pnfs::fault
