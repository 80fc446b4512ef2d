// What a scenario expects, and whether a run met it. Pure: what was observed in, verdict out. SCENARIOS.md beside
// testbed/scenarios is the user's page of the forms.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/trace/event.hpp"
#include "common/trace/filter.hpp"

namespace pnfs::scenario {

// NODE OP [term ...]: which events are meant. Terms are those of trace::Filter. Events of kind "fault" are only meant
// when a term asks for their kind: they repeat the operation at which a rule acted.
struct Pattern {
  std::string text;     // as written
  trace::Filter whole;  // node, operation and terms
  trace::Filter loose;  // node and operation: for what was seen instead
  bool of_faults = false;
};
Result<Pattern> parse_pattern(std::string_view text);
bool matches(const Pattern& pattern, const trace::OwnedEvent& event);

enum class Check {
  exit_code,
  output_has,
  output_lacks,
  kernel_log_clean,
  kernel_log_has,
  mountstats_has,
  mountstats_count,
  count,
  order,
  never_between,
  within,
  no_sooner,
};
enum class Relation { equal, at_least, at_most };

// A kernel's release as far as it can be compared: "6.1.176-um" is {6, 1, 176}.
using Version = std::vector<unsigned>;
Version parse_version(std::string_view text);

struct Expectation {
  unsigned line = 0;  // of the scenario's file
  std::string text;   // as written
  // Only on kernels from `since` on and below `before`.
  std::optional<Version> since, before;
  unsigned client = 1;  // whose exit code, output, mountstats
  Check check = Check::exit_code;
  Relation relation = Relation::equal;
  uint64_t number = 0;
  Duration time{};    // of within and no_sooner
  std::string words;  // of output_has and the like
  std::vector<Pattern> patterns;
  bool negated = false;  // by inverted() only
};

// The error is a sentence without place: the caller knows file and line.
Result<Expectation> parse_expectation(std::string_view line);

struct ObservedClient {
  int exit_code = 0;
  std::string output;
  std::string mountstats;
  std::string kernel_log;
  std::vector<std::string> kernel_problems;
};

// What a run left: events of all nodes merged by time.
struct Observed {
  std::string kernel_release;           // empty: unknown
  bool from_outside = false;            // of an external client neither kernel log nor mountstats are seen
  std::vector<ObservedClient> clients;  // [0] is client 1
  std::vector<trace::OwnedEvent> events;
  std::vector<unsigned> host_faults_never;  // lines of [hosts] whose turn never came
};

// It can be judged from what was observed: of an external client not all can.
bool is_visible(const Expectation& expectation, const Observed& observed);
// The expectation is about the kernel that ran.
bool applies(const Expectation& expectation, const Observed& observed);
// Empty when met; else what was seen instead, with the nearest events.
std::string unmet(const Expectation& expectation, const Observed& observed);
// The opposite, which a run that meets the expectation must fail: for the self-test. Of numbers the nearest that is
// wrong.
Expectation inverted(const Expectation& expectation);

}  // namespace pnfs::scenario
