// The servers that are measured, each a child of ours on loopback. A program that is not installed is Errc::not_found,
// with the package that has it.
#pragma once

#include <cstdint>
#include <string>

#include "common/io/stream.hpp"
#include "testbed/bench/scratch.hpp"

namespace pnfs::bench {

inline constexpr const char* kTargetName = "iqn.2026-01.pnfslab:bench";

io::Endpoint loopback(uint16_t port);

// pnfs-target with the LUN in `lun_file`, which exists.
struct TargetStart {
  std::string program;
  std::string lun_file;
  uint16_t port = 0;
  std::string log_file;
  bool thin = false;  // UNMAP, as the LUN of a lab has it
};
Result<Child> start_target(const TargetStart& start);
std::string target_url(uint16_t port);  // of its LUN

// pnfs-mds on a volume in memory, made anew on a target of its own at the port above.
struct MdsStart {
  std::string mds_program;
  std::string target_program;
  std::string folder;  // in memory; its files are lun, target.log and mds.log
  uint16_t port = 0;   // and the one above it
  uint64_t lun_bytes = 1u << 30;
  std::string trace;   // its trace; empty: none
  std::string layout;  // words of --layout; empty: the profile's
};
struct OurMds {
  Child target;
  Child mds;  // destroyed before its target
};
Result<OurMds> start_mds(const MdsStart& start);

// pnfs-ds "ds<number>" beside such an MDS.
struct DsStart {
  std::string ds_program;
  std::string folder;  // its log is ds<number>.log there
  unsigned number = 1;
  uint16_t port = 0;
  uint16_t mds_port = 0;
};
Result<Child> start_data_server(const DsStart& start);

// NFS-Ganesha exporting FOLDER/export of its own as /bench with its VFS back end; needs root. It listens at every
// address, but only loopback has access.
Result<Child> start_ganesha(const std::string& folder, uint16_t port);
inline constexpr const char* kGaneshaExport = "bench";

}  // namespace pnfs::bench
