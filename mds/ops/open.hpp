// The parts of OPEN (RFC 8881 18.16), split because the operation is the largest of the protocol: arguments, finding or
// making the file, and whether a delegation comes with it.
#pragma once

#include "mds/ops/ops.hpp"

namespace pnfs::mds {

// One OPEN under way.
struct Opening {
  uint32_t access = 0;  // kShare*
  uint32_t deny = 0;
  uint32_t wants = 0;  // the rest of share_access
  std::string_view owner;
  bool reclaim = false;
  bool create = false;
  SetAttributes set;                               // createattrs
  std::optional<volume::CreateVerifier> verifier;  // exclusive create

  Inode file;
  bool created = false;
  ChangeInfo change;       // of the directory
  nfs::bitmap4 attrset;    // what of `set` was applied
  bool by_handle = false;  // CLAIM_FH and the like: no directory, no name
};

// INVAL: unknown bits, no access at all; the WANT bits on their own for WANT_DELEGATION.
Status check_wants(uint32_t wants);
Status read_open_args(MdsContext& context, const nfs::OPEN4args& args, Opening& opening);
// Looks the file up or makes it; checks its type and the caller's permissions.
Status find_target(MdsContext& context, const nfs::OPEN4args& args, Opening& opening);

// Grants a delegation or says why not.
void decide_delegation(MdsContext& context, const Inode& file, uint32_t access, uint32_t wants,
                       nfs::open_delegation4& out);
void reclaim_delegation(MdsContext& context, const Inode& file, nfs::open_delegation_type4 type,
                        nfs::open_delegation4& out);

}  // namespace pnfs::mds
