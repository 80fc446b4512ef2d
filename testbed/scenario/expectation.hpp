// What a scenario expects, and whether a run met it. Pure: events in, verdict out.
//
//   exit 0                                  the client command's exit code
//   output has TEXT      output lacks TEXT  what the client command printed
//   kernel log is clean                     no warning, oops or stuck task in the guest's log
//   count PATTERN == N   (also >= N, <= N)  how often the trace shows it
//   never PATTERN                           the same as == 0
//   order PATTERN, PATTERN, ...             each after the one before it
//
// PATTERN is NODE OP [field=value ...]: NODE a name, "ds*" or "*"; OP as the RFC spells it; fields as in the trace
// (status, iomode, reason, path, offset, ...); value may begin or end with '*'.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/trace/event.hpp"

namespace pnfs::scenario {

struct Pattern {
  std::string node, op;
  std::vector<std::pair<std::string, std::string>> fields;
};
bool matches(const Pattern& pattern, const trace::OwnedEvent& event);

enum class Check { exit_code, output_has, output_lacks, kernel_log_clean, count, order };
enum class Relation { equal, at_least, at_most };

struct Expectation {
  unsigned line = 0;  // of the scenario's file
  std::string text;   // as written
  Check check = Check::exit_code;
  Relation relation = Relation::equal;
  uint64_t number = 0;
  std::string words;  // of output_has and output_lacks
  std::vector<Pattern> patterns;
};

// The error is a sentence without place: the caller knows file and line.
Result<Expectation> parse_expectation(std::string_view line);

// What a run left: events of all nodes merged by time.
struct Observed {
  int exit_code = 0;
  std::string output;
  std::vector<std::string> kernel_problems;
  std::vector<trace::OwnedEvent> events;
};

// Empty when met; else what was seen instead, with the nearest events.
std::string unmet(const Expectation& expectation, const Observed& observed);

}  // namespace pnfs::scenario
