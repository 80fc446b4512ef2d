// inodes/<fileid>/stripes/: one file for each data server, with exactly the bytes that it serves, where it has them
// (RFC 8881 13.4): sparse ones at the file's own offsets with holes between, dense ones close together. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/control/striping_record.hpp"

namespace pnfs::inspect {

struct StripeFile {
  std::string name;
  control::StripeSet set;
  bool dense = false;

  // Where its last byte ends, of a file of this size.
  uint64_t size(uint64_t file_size) const;
  // [offset, offset + length) of it, in order and without gaps: pieces of the file, and holes between them.
  struct Piece {
    uint64_t offset = 0;  // in the stripe file
    uint64_t length = 0;
    uint64_t file_offset = 0;
    bool hole = false;
  };
  std::vector<Piece> map(uint64_t offset, uint64_t length) const;

 private:
  uint64_t dense_to_file(uint64_t offset) const;
};

// In the order of the data servers. A data server with several dense stripe indices has a file for each, <ds>.<index>.
std::vector<StripeFile> stripe_files(const control::StripingRecord& record, uint64_t fileid);

}  // namespace pnfs::inspect
