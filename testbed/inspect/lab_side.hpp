// What the view has of the servers rather than of the volume: live/ and control/. Every call blocks for as long as a
// server takes to answer (bounded): run them on another thread than the one that serves the view.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "testbed/lab/lab_state.hpp"

namespace pnfs::inspect {

class LabSide {
 public:
  // The state folder; "" when the volume is not one of a lab: then nothing is ever up.
  explicit LabSide(std::string state_folder) : folder_(std::move(state_folder)) {}

  // "nodes", "nodes.json", ...
  static const std::vector<std::string>& live_names();
  bool up() const;
  Result<std::string> live(const std::string& name) const;

  // Names of control/: what it says now, and one line written to it. invalid: the line is wrong, and why.
  Result<std::string> read_control(std::string_view name) const;
  Result<void> write_control(std::string_view name, std::string_view line) const;

 private:
  Result<lab::LabState> state() const;
  Result<std::string> tell_mds(const std::string& command) const;
  std::string folder_;
};

}  // namespace pnfs::inspect
