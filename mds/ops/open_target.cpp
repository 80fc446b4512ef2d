// OPEN's arguments, and the file they mean.
#include "mds/namespace/attributes.hpp"
#include "mds/ops/open.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {

constexpr uint32_t kWantHow =
    OPEN4_SHARE_ACCESS_WANT_SIGNAL_DELEG_WHEN_RESRC_AVAIL | OPEN4_SHARE_ACCESS_WANT_PUSH_DELEG_WHEN_UNCONTENDED;

// RFC 9754: asks for delegated times, or for a delegation in the open's place. Who offers OPEN_ARGUMENTS may be asked,
// and need not grant.
constexpr uint32_t kExtendedWants = 0x300000;

volume::CreateVerifier verifier_of(const verifier4& verifier) {
  return verifier.bytes;
}

Status read_how(MdsContext& context, const createhow4& how, Opening& opening) {
  const fattr4* attributes = nullptr;
  switch (how.mode) {
    case UNCHECKED4:
    case GUARDED4:
      attributes = &how.createattrs;
      break;
    case EXCLUSIVE4:
      opening.verifier = verifier_of(how.createverf);
      return {};
    case EXCLUSIVE4_1:
      opening.verifier = verifier_of(how.ch_createboth.cva_verf);
      attributes = &how.ch_createboth.cva_attrs;
      break;
    default:
      return fail(NFS4ERR_INVAL, "18.16.3", "createmode4 {} is unknown", static_cast<uint32_t>(how.mode));
  }
  return read_settable(*attributes, context.arena(), opening.set);
}

// What the mode must allow for the open's access, of its owner too: a Linux client leaves the question to the server.
// Nobody needs bits for a file just made.
Status check_permission(const MdsContext& context, const Opening& opening) {
  const Inode& file = opening.file;
  if (opening.created) return {};
  const uint32_t may = context.caller.allowed(file);
  const bool read = (opening.access & state::kShareRead) == 0 || (may & (kMayRead | kMayExecute)) != 0;
  const bool write = (opening.access & state::kShareWrite) == 0 || (may & kMayWrite) != 0;
  if (read && write) return {};
  return fail(NFS4ERR_ACCESS, "18.16.3", "uid {} may not open file {} with access {} (mode {:o}, owner {})",
              context.caller.uid, file.fileid, opening.access, file.mode, file.uid);
}

Status existing(MdsContext& context, const createhow4& how, Opening& opening) {
  if (!opening.create) return {};
  switch (how.mode) {
    case GUARDED4:
      return fail(NFS4ERR_EXIST, "18.16.3", "file {} has the name already", opening.file.fileid);
    case EXCLUSIVE4:
    case EXCLUSIVE4_1:
      if (opening.file.has_create_verifier && opening.file.create_verifier == *opening.verifier) {
        // The same request again after its reply was lost with the session: it made the file (18.16.3).
        opening.attrset = mask_of(opening.set);
        opening.created = true;
        return {};
      }
      return fail(NFS4ERR_EXIST, "18.16.3", "file {} has the name already, made with another verifier",
                  opening.file.fileid);
    default:
      if (opening.set.size && !context.caller.may(opening.file, kMayWrite)) {
        return fail(NFS4ERR_ACCESS, "18.16.3", "uid {} may not cut file {}", context.caller.uid, opening.file.fileid);
      }
      return {};
  }
}

Status make(MdsContext& context, const Inode& dir, std::string_view name, Opening& opening) {
  if (Status status = context.require_writable(); !status) return status;
  NewObject object;
  object.attributes = opening.set;
  object.verifier = opening.verifier;
  if (object.attributes.size.value_or(0) > kMaxFileBytes) {
    return fail(NFS4ERR_FBIG, "15.1.4.7", "size {} is beyond {}", *object.attributes.size, kMaxFileBytes);
  }
  if (Status status = context.mds.names().create(dir, name, object, context.caller, opening.file, opening.change);
      !status) {
    return status;
  }
  opening.created = true;
  opening.attrset = mask_of(opening.set);
  return {};
}

std::string_view name_of(const OPEN4args& args) {
  return args.claim.claim == CLAIM_NULL ? args.claim.file.text : args.claim.delegate_cur_info.file.text;
}

Status by_name(MdsContext& context, const OPEN4args& args, Opening& opening) {
  Inode dir;
  if (Status status = context.current_dir(dir); !status) return status;
  const std::string_view name = name_of(args);
  context.trace.path = name;
  opening.change = {dir.change, dir.change};
  Status found = context.mds.names().lookup(dir, name, context.caller, opening.file);
  if (found.ok()) return existing(context, args.openhow.how, opening);
  if (found.status != NFS4ERR_NOENT || !opening.create) return found;
  return make(context, dir, name, opening);
}

}  // namespace

Status check_wants(uint32_t wants) {
  const uint32_t want = wants & OPEN4_SHARE_ACCESS_WANT_DELEG_MASK;
  if ((wants & ~(OPEN4_SHARE_ACCESS_WANT_DELEG_MASK | kWantHow)) == 0 && want <= OPEN4_SHARE_ACCESS_WANT_CANCEL) {
    return {};
  }
  return fail(NFS4ERR_INVAL, "18.16.3", "share_access bits {:#x} are unknown", wants);
}

Status read_open_args(MdsContext& context, const OPEN4args& args, Opening& opening) {
  opening.access = args.share_access & OPEN4_SHARE_ACCESS_BOTH;
  opening.wants = args.share_access & ~OPEN4_SHARE_ACCESS_BOTH;
  if (context.mds.options().open_arguments) opening.wants &= ~kExtendedWants;
  opening.deny = args.share_deny;
  if (opening.access == 0) return fail(NFS4ERR_INVAL, "18.16.3", "share_access asks for neither READ nor WRITE");
  if (Status status = check_wants(opening.wants); !status) return status;
  if (opening.deny > OPEN4_SHARE_DENY_BOTH) {
    return fail(NFS4ERR_INVAL, "18.16.3", "share_deny {:#x} is unknown", opening.deny);
  }
  const auto owner = args.owner.owner.bytes;
  opening.owner = {reinterpret_cast<const char*>(owner.data()), owner.size()};
  opening.create = args.openhow.opentype == OPEN4_CREATE;
  opening.reclaim = args.claim.claim == CLAIM_PREVIOUS;
  opening.by_handle = args.claim.claim != CLAIM_NULL && args.claim.claim != CLAIM_DELEGATE_CUR &&
                      args.claim.claim != CLAIM_DELEGATE_PREV;
  if (args.openhow.opentype != OPEN4_CREATE && args.openhow.opentype != OPEN4_NOCREATE) {
    return fail(NFS4ERR_INVAL, "18.16.3", "opentype4 {} is unknown", static_cast<uint32_t>(args.openhow.opentype));
  }
  if (opening.create && args.claim.claim != CLAIM_NULL) {
    return fail(NFS4ERR_INVAL, "18.16.3", "only CLAIM_NULL creates");
  }
  if (!opening.create) return {};
  return read_how(context, args.openhow.how, opening);
}

Status find_target(MdsContext& context, const OPEN4args& args, Opening& opening) {
  opening.created = false;
  opening.attrset.clear();
  if (opening.by_handle) {
    if (Status status = context.current_inode(opening.file); !status) return status;
    // Without a name a file lives on for those who have it open, and for reclaims of theirs.
    if (opening.file.nlink == 0 && !opening.reclaim && !context.mds.state().is_open(opening.file.fileid)) {
      return fail(NFS4ERR_STALE, "15.1.2.6", "file {} was removed", opening.file.fileid);
    }
  } else {
    if (Status status = by_name(context, args, opening); !status) return status;
  }
  if (Status status = require_regular(opening.file, "18.16.3"); !status) return status;
  if ((opening.access & state::kShareWrite) != 0) {
    if (Status status = context.require_writable(); !status) return status;
  }
  // The mode was looked at when the delegation or the open that is reclaimed was given out.
  if (opening.reclaim || args.claim.claim == CLAIM_DELEGATE_CUR || args.claim.claim == CLAIM_DELEG_CUR_FH) return {};
  return check_permission(context, opening);
}

}  // namespace pnfs::mds
