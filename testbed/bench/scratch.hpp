// What every measurement has: a folder that goes with it, servers that are waited for, and medians.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "testbed/bench/child.hpp"
#include "testbed/lab/interrupt.hpp"

namespace pnfs::bench {

// A folder of its own below `below`, gone with this object. While it exists Ctrl-C is only noted (lab::interrupted), so
// that the way out is the ordinary one, past every destructor.
class Scratch {
 public:
  explicit Scratch(const std::string& below);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  Result<void> made() const;
  const std::string& folder() const { return folder_; }

 private:
  lab::InterruptGuard signals_;
  std::string below_;
  std::string folder_;
};

// Until `ready` says so; an error when the child ends before, does not get ready in ten seconds, or at an interrupt.
// The error carries what the child wrote to its log.
Result<void> wait_for(const std::function<bool()>& ready, Child& child, const std::string& name);

Error interrupted_error();

// Field by field: a burst of other work on the machine spoils one run, not the figure. `runs` is not empty.
template <class Figures>
double median(std::vector<Figures> runs, double Figures::*field) {
  std::ranges::sort(runs, {}, field);
  return runs[runs.size() / 2].*field;
}

}  // namespace pnfs::bench
