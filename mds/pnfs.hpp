// The pNFS half of a metadata server as the other half sees it: layouts, devices, grants to data servers and the
// control program. make_pnfs() is in mds/layout.
//
// Threading: the executor's thread. Lifetime: owned by Mds, made before its volume opens, gone after its last request.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/io/task.hpp"
#include "common/nfs/layout.hpp"
#include "common/nfs/status.hpp"
#include "mds/state/state_table.hpp"

namespace pnfs::rpc {
class Service;
}
namespace pnfs::volume {
struct Inode;
}

namespace pnfs::mds {

class Mds;

// Keeps the bytes of a file from other nodes while the MDS itself touches them. The MDS is node 0 of the grant table.
class DataGuard {
 public:
  // While it lives no other node reads (if the hold is for writing) or writes the range.
  class Hold {
   public:
    virtual ~Hold() = default;
  };
  virtual ~DataGuard() = default;
  // Revokes what is in the way and waits a bounded time. DELAY: somebody has not let go yet; nothing is held.
  // length UINT64_MAX: to the end. On success `out` may be null when nothing needs holding.
  virtual io::Task<nfs::Status> hold(state::FileId file, uint64_t offset, uint64_t length, bool write,
                                     std::unique_ptr<Hold>& out) = 0;
};

class Pnfs : public state::LayoutStates, public DataGuard {
 public:
  // After the volume is open and before the first listener. stop() joins everything it spawned.
  virtual io::Task<Result<void>> start() = 0;
  virtual io::Task<void> stop() = 0;
  // The control program, served on the listeners of NFS; null: none.
  virtual rpc::Service* control_service() = 0;
  // What FATTR4_FS_LAYOUT_TYPES says.
  virtual std::span<const nfs::layouttype4> layout_types() const = 0;
  virtual uint32_t exchange_flags() const = 0;      // EXCHGID4_FLAG_USE_*
  virtual uint32_t layout_block_bytes() const = 0;  // FATTR4_LAYOUT_BLKSIZE
  // FATTR4_MDSTHRESHOLD's hints, in the order of their bits; unset: no such hint.
  virtual std::array<std::optional<uint64_t>, 4> thresholds() const = 0;
  // The layout hint of a file that is made in this directory, before what its client wishes.
  virtual std::string hint_for_new_file(const volume::Inode& directory) = 0;
  // The file has no name any more and nobody has it open: its layouts are called back (12.5.5).
  virtual void file_removed(state::FileId file) = 0;
  // What data servers hold against the stateid goes too (CLOSE, OPEN_DOWNGRADE, FREE_STATEID, revocation). Waits a
  // bounded time; DELAY when a data server has not confirmed.
  virtual io::Task<nfs::Status> revoke_stateid(state::clientid4 client, state::FileId file, nfs::stateid4 stateid) = 0;
  // Until no data server accepts any more what has died of the file (0: of any file) so far: a reply that may tell of
  // it waits for this. Bounded by the lease of data servers.
  virtual io::Task<void> settle(state::FileId file) = 0;
  virtual bool settled() const = 0;  // nothing to wait for
  // Permissions of the file change: data servers forget whom they let read and write it, and ask again. DELAY when one
  // has not confirmed.
  virtual io::Task<nfs::Status> judge_again(state::FileId file) = 0;
  // Nobody shall write to the file but through the MDS: layouts for writing are recalled, DELAY until they are back.
  virtual nfs::Status recall_writers(state::FileId file) = 0;
};

std::unique_ptr<Pnfs> make_pnfs(Mds& mds);

}  // namespace pnfs::mds
