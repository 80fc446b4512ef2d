// What the MDS's operations find in a COMPOUND beside the shared parts.
#pragma once

#include "common/compound/context.hpp"
#include "mds/mds.hpp"
#include "mds/namespace/namespace.hpp"

namespace pnfs::mds {

struct MdsContext : compound::Context {
  MdsContext(rpc::Request& request, Mds& mds);

  Mds& mds;
  const ExportRule& rule;  // of the client's address
  const Caller caller;     // after squash

  // The object of the current (saved) filehandle: NOFILEHANDLE, BADHANDLE, STALE. The reply then depends on it: seen().
  nfs::Status current_inode(Inode& out);
  nfs::Status saved_inode(Inode& out);
  // The same for operations on a regular file: ISDIR, SYMLINK, WRONG_TYPE.
  nfs::Status current_file(Inode& out);
  // NOTDIR.
  nfs::Status current_dir(Inode& out);
  void set_current_inode(const Inode& inode);

  // The reply tells or changes catalog state: it leaves once all of it, as it is now, is on stable storage.
  void seen();
  // May the stateid of a READ, WRITE or SETATTR (size) be used for `access` (kShare*) on the file? GRACE for special
  // stateids while opens may still be reclaimed; else as StateTable::check_io. by_open: a stateid of the client's own
  // was shown, so that permissions were checked when it was given out.
  nfs::Status check_io_stateid(const Inode& inode, const nfs::stateid4& stateid, uint32_t access, bool& by_open);
  // Delegations of other clients that must go before this client reads (modifies false) or changes the file: recalled,
  // and DELAY until they are back.
  nfs::Status recall_delegations(FileId file, bool modifies);
  // Non-reclaim requests for state: GRACE in the grace period and before the client's RECLAIM_COMPLETE (18.51.3).
  nfs::Status require_no_grace();
  // Reclaims: NO_GRACE outside of the grace period and after RECLAIM_COMPLETE, RECLAIM_BAD when the client had nothing.
  nfs::Status require_grace();

  // ROFS when the client may only read.
  nfs::Status require_writable() const;
};

// ISDIR, SYMLINK, WRONG_TYPE for what is not a regular file.
nfs::Status require_regular(const Inode& inode, std::string_view section);

}  // namespace pnfs::mds
