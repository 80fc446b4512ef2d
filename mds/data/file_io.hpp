// File data through the MDS: extents from the catalog, bytes from the LUN, other nodes kept away meanwhile.
//
// Buffers must stay alive until the task returns. Each call re-reads the catalog after every wait.
#pragma once

#include "common/nfs/files.hpp"
#include "common/volume/data_io.hpp"
#include "mds/data/file_gate.hpp"
#include "mds/namespace/namespace.hpp"
#include "mds/pnfs.hpp"

namespace pnfs::volume {
class Volume;
}

namespace pnfs::mds {

class FileIo {
 public:
  FileIo(io::Executor executor, volume::DataIo& data, Namespace& names, DataGuard& guard, volume::Volume& volume)
      : data_(data), names_(names), guard_(guard), volume_(volume), gate_(executor) {}

  // Fills `into`; holes are zeros. The caller has clipped it to the file's size. NFS4ERR_DELAY, NFS4ERR_IO.
  io::Task<nfs::Status> read(FileId file, uint64_t offset, std::span<std::byte> into);
  // Space first, durably (design: no unwritten extents), then the bytes; size and times are in the catalog on return
  // and become durable with its ticket. NOSPC, DELAY, IO, FBIG, STALE.
  io::Task<nfs::Status> write(FileId file, uint64_t offset, std::span<const std::byte> from, bool stable,
                              const Caller& caller);
  // Applies `set`, whose size cuts or extends the file.
  io::Task<nfs::Status> set_attributes(FileId file, SetAttributes set, const Caller& caller, Inode& out);
  // Everything written so far is on stable storage on return.
  io::Task<nfs::Status> flush();
  // Space and inode of a file without names go. NFS4ERR_DELAY: a data server has not let go yet.
  io::Task<nfs::Status> destroy(FileId file);

 private:
  // The device's error as the client is told. A target that restarted and forgot who owns it is put right first: then
  // DELAY, and the client comes again.
  io::Task<nfs::Status> device_failed(Error why);
  io::Task<nfs::Status> zero_tail(FileId file, uint64_t size);

  volume::DataIo& data_;
  Namespace& names_;
  DataGuard& guard_;
  volume::Volume& volume_;
  FileGate gate_;
};

}  // namespace pnfs::mds
