// Starting and ending a whole lab: target, MDS and data servers as processes of their own.
#pragma once

#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

struct LabOptions {
  std::string state = default_state_folder();
  unsigned data_servers = 2;
  std::string profile = "modern";
  std::string address = "127.0.0.1";
  uint16_t base_port = 12049;  // MDS; data server i at base_port + i; target at base_port + kTargetPortOffset
  std::string store;           // empty: a target of our own over STATE/lun.img
  std::string lun_size = "4G";
  std::string cache = "write-back";
  unsigned lease_seconds = 90;
  std::vector<std::pair<std::string, std::string>> faults;  // node and rule (common/fault/RULES.md), from the start
  bool quiet = false;
};

inline constexpr uint16_t kTargetPortOffset = 13260 - 12049;

// Brings everything up, or leaves nothing behind. Makes the volume when the LUN of our own target is blank.
// Errors: busy (a lab is up in that folder, or a port is taken), and whatever the servers themselves report.
Result<LabState> start_lab(const LabOptions& options);

// Ends all servers in the order that lets each hand back what it holds. Returns how many had to be killed.
size_t stop_lab(const LabState& state);

}  // namespace pnfs::lab
