// From an operation's arguments to volume ranges it may touch: the client's verdict, then grants for every byte.
#pragma once

#include <memory>
#include <vector>

#include "common/nfs/basic.hpp"
#include "common/nfs/status.hpp"
#include "common/volume/extent_map.hpp"
#include "ds/ds.hpp"

namespace pnfs::ds {

// While it lives the MDS waits with revokes of what the I/O stands on. Give it up before waiting for anything but the
// device: FILE_CHANGED, too, waits for the revokes of the file's grants.
class IoRight {
 public:
  IoRight() = default;
  IoRight(const IoRight&) = delete;
  IoRight& operator=(const IoRight&) = delete;
  ~IoRight() { release(); }
  void release();
  // The data is on the device: the file reaches at least to file_end.
  void wrote() const;

  std::vector<volume::MappedRange> ranges;  // of the whole request, in the order of its bytes
  uint64_t fileid = 0;
  uint64_t generation = 0;
  bool commit_thru_mds = false;
  uint64_t file_end = 0;    // end of the request in the file
  uint64_t known_size = 0;  // of the file, in the file's own offsets

 private:
  friend io::Task<nfs::Status> take_right(DsContext&, const nfs::stateid4&, Access, uint64_t, uint64_t, IoRight&);
  Ds* ds_ = nullptr;
  VerdictCache::Key key_;
  uint64_t verdict_pin_ = 0;
  std::vector<GrantCache::Pin> pins_;
};

// [offset, offset + length) of the current filehandle. On success `out` is pinned. Errors: see op_read.cpp.
io::Task<nfs::Status> take_right(DsContext& context, const nfs::stateid4& stateid, Access access, uint64_t offset,
                                 uint64_t length, IoRight& out);

// A failed device command as the client is told.
nfs::Status device_failed(Ds& ds, const Error& why, std::string_view section);
// Before each device command and before each reply (design, Fencing that holds).
nfs::Status check_lease(Ds& ds);

}  // namespace pnfs::ds
