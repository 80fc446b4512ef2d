// A scenario: one readable text file that says what is set up, what the client does, and what must be seen.
// SCENARIOS.md beside testbed/scenarios documents the form for those who write one.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "testbed/scenario/expectation.hpp"

namespace pnfs::scenario {

struct FaultLine {
  std::string node;  // "mds", "ds1", ...
  std::string rule;
};

struct Scenario {
  std::string file;
  std::string id;  // permanent, never reused
  std::string title;
  std::vector<std::string> tags;  // "slow" keeps it out of the ordinary run
  std::string prose;
  // [lab]
  std::string profile = "modern";
  unsigned data_servers = 2;
  unsigned lease_seconds = 90;
  std::string cache = "volatile";
  // [client]: a shell script, run in a kernel with the export at /mnt/pnfs
  std::string script;
  std::string mount_options;
  unsigned timeout_seconds = 60;
  std::vector<FaultLine> faults;
  std::vector<Expectation> expectations;

  bool has_tag(std::string_view tag) const;
};

// invalid, with file, line and what was expected there.
Result<Scenario> parse_scenario(std::string_view text, const std::string& file);
Result<Scenario> load_scenario(const std::string& path);

// Every *.scn of a folder, sorted, or the one file. invalid also when two share an id.
Result<std::vector<Scenario>> load_all(const std::vector<std::string>& paths);

}  // namespace pnfs::scenario
