// Checks a volume without changing it. It may run on a mounted volume (it reads a consistent copy, or says that the
// volume changed too fast), but then open files without names are reported as such, not as errors.
#pragma once

#include <string>
#include <vector>

#include "common/block/block_store.hpp"
#include "common/volume/superblock.hpp"

namespace pnfs::volume {

enum class FindingKind {
  superblock,    // a copy is unreadable or differs
  catalog,       // SQLite's integrity check
  leak,          // space that belongs to no file: extents without inode
  doubly_used,   // two owners of one range
  out_of_range,  // an extent outside the data area, or misaligned
  link_count,    // nlink differs from the entries found
  entry,         // an entry to a missing inode, a directory with two names, wrong parent, duplicate cookie
  orphan,        // an inode without a name (an error only when nlink > 0)
  attribute,     // space_used or size contradicts the extents
};
std::string_view to_string(FindingKind kind);

struct Finding {
  FindingKind kind;
  bool error = true;  // false: worth knowing, nothing is wrong
  std::string text;
};

struct FsckReport {
  bool is_volume = false;
  Superblock superblock;
  OwnerRecord owner;
  uint64_t inodes = 0, directories = 0, entries = 0, extents = 0;
  uint64_t mapped_bytes = 0, zeroed_bytes = 0, quarantined_bytes = 0, data_bytes = 0;
  uint64_t log_bytes_replayed = 0;
  std::vector<Finding> findings;
  size_t errors() const;
  bool clean() const { return is_volume && errors() == 0; }
};
std::string to_text(const FsckReport& report);  // lines for a person
std::string to_json(const FsckReport& report);

// An Error only when the LUN could not be read; what is wrong with the volume stands in the report.
io::Task<Result<FsckReport>> fsck(block::BlockStore& store);

}  // namespace pnfs::volume
