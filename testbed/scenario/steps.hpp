// What the built-in client does in a scenario without a kernel: the lines of [steps], one step each. They are played in
// a cluster within this process, on virtual time (testbed/cluster), so that a scenario takes milliseconds and the same
// seed gives the same run.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/nfs/status.hpp"

namespace pnfs::scenario {

struct Step {
  unsigned line = 0;               // of the scenario's file
  std::string text;                // as written, without the answer
  unsigned client = 1;             // who takes it: "client 2: stat /f"
  std::vector<std::string> words;  // of the text; the first is the verb
  // The answer that it must have. A step with another one ends the client's part with exit code 1.
  nfs::nfsstat4 expected = nfs::NFS4_OK;
};

// "mkdir /dir", "layoutget /f RW -> BADIOMODE", "compound PUTROOTFH, LOOKUP objname=x, GETFH -> NOENT". Errors are
// sentences without place.
Result<Step> parse_step(std::string_view line);

// The verbs with their words, for the message and the page.
std::vector<std::string> step_usages();

}  // namespace pnfs::scenario
