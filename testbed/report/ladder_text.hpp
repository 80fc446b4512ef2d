// The ladder for a terminal or an issue.
#pragma once

#include <string>

#include "testbed/report/run.hpp"

namespace pnfs::report {

struct TextOptions {
  bool colours = false;
  bool plumbing = false;  // also SEQUENCE, PUTFH and the like
  bool scsi = false;      // also block commands that went well
};

std::string to_text(const Run& run, const TextOptions& options);

// Of one row, without its times: "LAYOUTGET RW 0+all /file  NFS4ERR_BADIOMODE: ... [RFC 8881 15.1.10.1]".
std::string words_of(const Row& row);
std::string human_bytes(uint64_t bytes);

}  // namespace pnfs::report
