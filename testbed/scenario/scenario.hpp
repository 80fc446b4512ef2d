// A scenario: one readable text file that says what is set up, what the client does, and what must be seen.
// testbed/scenarios/SCENARIOS.md documents the form for those who write one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "testbed/scenario/expectation.hpp"
#include "testbed/scenario/host_faults.hpp"
#include "testbed/scenario/steps.hpp"

namespace pnfs::scenario {

struct FaultLine {
  unsigned line = 0;
  std::string rule;  // common/fault/RULES.md
};

// What a packaged kernel is known to make of it: [kernels], "6.1.176 red", "6.1.178 green".
struct KernelVerdict {
  Version release;
  bool red = false;
};

struct Scenario {
  std::string file;
  std::string id;  // permanent, never reused
  std::string title;
  std::vector<std::string> tags;  // "slow" keeps it out of the ordinary run
  std::string bug;                // of a replay: the bug of a client that it stands for
  std::string prose;
  // [lab]
  std::string profile = "modern";
  std::string topology = "loopback";
  unsigned data_servers = 2;
  unsigned lease_seconds = 90;
  std::string cache = "volatile";
  std::string vers = "4.1";
  std::string mount_options;
  unsigned mount_timeout_seconds = 60;
  std::vector<std::string> kernel_arguments;  // of the clients' kernels
  unsigned timeout_seconds = 120;
  Version since_kernel;  // it is about no older ones: skipped there
  // [client], [client 2]...: shell scripts, each in a kernel of its own with the export at /mnt/pnfs, all at once
  std::vector<std::string> clients;
  // [steps]: instead of scripts, what the built-in client does in a cluster within this process.
  std::vector<Step> steps;
  std::vector<FaultLine> faults;
  std::vector<HostFault> host_faults;
  // [planted]: server bugs, as rules; with any one of them the scenario must fail (self_test.hpp).
  std::vector<FaultLine> planted;
  std::string bug_planted;  // the one that this copy of the scenario is played with
  std::vector<Expectation> expectations;
  std::vector<KernelVerdict> verdicts;

  bool has_tag(std::string_view tag) const;
  // All rules that it is played with.
  std::vector<std::string> rules() const;
  // What [kernels] says of this release: the verdict of the nearest one of its series that is not newer. No value:
  // nothing.
  std::optional<bool> known_red(std::string_view release) const;
};

// invalid, with file, line and what was expected there. Fault rules are checked too.
Result<Scenario> parse_scenario(std::string_view text, const std::string& file);
Result<Scenario> load_scenario(const std::string& path);

// Every *.scn of a folder (not of those below it), sorted, or the one file. invalid also when two share an id. A word
// that is neither a file nor a folder is an id, or a folder ("replays"), of the scenarios that came with this program.
Result<std::vector<Scenario>> load_all(const std::vector<std::string>& paths);

}  // namespace pnfs::scenario
