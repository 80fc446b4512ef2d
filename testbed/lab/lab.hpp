// Starting and ending a whole lab: target, MDS and data servers as processes of their own.
#pragma once

#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

inline constexpr unsigned kMostDataServers = 128;  // node slots of a volume; the Linux client takes 256 per device

struct LabOptions {
  std::string state = default_state_folder();
  unsigned data_servers = 2;  // at most kMostDataServers
  std::string profile = "modern";
  std::string topology = "loopback";  // or "hosts" (hosts.hpp), where address, base_port and store are given
  std::string address = "127.0.0.1";
  uint16_t base_port = 12049;  // MDS; data server i at base_port + i; target at base_port + kTargetPortOffset
  std::string store;           // empty: a target of our own over STATE/lun.img
  std::string lun_size = "4G";
  std::string cache = "write-back";
  unsigned lease_seconds = 90;
  std::vector<std::string> faults;  // rules in force from the start (common/fault/RULES.md)
  uint64_t fault_seed = 0;
  bool ends_with_us = false;             // the servers die with the thread that started them, however it ends
  std::vector<std::string> layout;              // words over the profile's layouts (mds/layout/PERSONALITIES.md)
  std::vector<std::string> layout_directories;  // "/dir WORDS"
  std::vector<std::string> mds_options;  // further words of pnfs-mds's command line
  bool capture = false;                  // every server writes its packets to STATE/capture/NODE.pcapng
  bool quiet = false;
};

inline constexpr uint16_t kTargetPortOffset = 13260 - 12049;

// Brings everything up, or leaves nothing behind. Makes the volume when the LUN of our own target is blank.
// Errors: busy (a lab is up in that folder, or a port is taken), and whatever the servers themselves report.
Result<LabState> start_lab(const LabOptions& options);

// A server of a lab that has ended, once more with the same command line. The state on disk follows.
Result<void> start_again(LabState& state, std::string_view name);

// Ends all servers in the order that lets each hand back what it holds. Returns how many had to be killed.
size_t stop_lab(const LabState& state);

}  // namespace pnfs::lab
