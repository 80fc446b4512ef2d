// The text of 2014: one line "<disk>:<ip>[,<ip>...]" written to /proc/fs/nfsd/pnfs_dlm_device said which data servers
// a disk's layouts name. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::mds::layout {

struct DlmQuirks {
  bool keeps_old_tail = false;  // a list shorter than the one before leaves the end of the old one behind it
  bool prefix_match = false;    // "sdb" is found for "sdb1"
};

class DlmDevices {
 public:
  static constexpr size_t kMaxListBytes = 512;  // of the server list, as then

  explicit DlmDevices(DlmQuirks quirks = {}) : quirks_(quirks) {}

  // Takes one line, with or without its newline; a new line for a disk replaces the old. Errors: invalid, says what.
  Result<void> write(std::string_view line);
  // The addresses as they were written, an empty list when the disk has none (LAYOUTUNAVAILABLE).
  std::vector<std::string> servers_of(std::string_view disk) const;
  // All lines, as reading the file gave them.
  std::string text() const;
  bool empty() const { return lists_.empty(); }

 private:
  DlmQuirks quirks_;
  std::map<std::string, std::string, std::less<>> lists_;  // by disk
};

}  // namespace pnfs::mds::layout
