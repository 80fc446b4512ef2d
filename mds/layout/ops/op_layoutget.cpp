// LAYOUTGET (RFC 8881 18.43), alone or behind OPEN in one COMPOUND with the current stateid.
//
// NFS4ERR_NOFILEHANDLE, _STALE   the current filehandle
// NFS4ERR_WRONG_TYPE          not a regular file
// NFS4ERR_UNKNOWN_LAYOUTTYPE  not a layout type of this server
// NFS4ERR_BADIOMODE           ANY or an invalid iomode (18.43.3); RW where the personality grants READ only (15.1.10.1)
// NFS4ERR_INVAL               minlength over length; a sum beyond 2^64
// NFS4ERR_GRACE               layouts are not persistent: none in the grace period
// NFS4ERR_BAD_STATEID, _OLD_STATEID, _ADMIN_REVOKED, _DELEG_REVOKED   the stateid
// NFS4ERR_OPENMODE            RW under an open for reading
// NFS4ERR_RECALLCONFLICT, _RETURNCONFLICT    a recall is outstanding (12.5.5.2.1.3)
// NFS4ERR_LAYOUTUNAVAILABLE   no data server, or layouts are switched off; RW of a setuid or setgid program
// NFS4ERR_BADLAYOUT           minlength cannot be covered
// NFS4ERR_LAYOUTTRYLATER      the same with minlength 0; the client holds very many pieces of the file, or as many
//                             layouts as it may (mds/LIMITS.md); behind OPEN when it holds a layout of the file
// NFS4ERR_TOOSMALL            what must be covered is larger than maxcount
// NFS4ERR_REP_TOO_BIG         or than the session's replies
#include "common/xdr/codec.hpp"
#include "mds/layout/ops/ops.hpp"
#include "mds/layout/record_striping.hpp"
#include "mds/mds.hpp"
#include "mds/namespace/privileges.hpp"

namespace pnfs::mds::layout {

using namespace nfs;

namespace {

// 18.43.3: lengths, before anything is looked up.
Status check_lengths(const LAYOUTGET4args& args) {
  if (args.loga_length < args.loga_minlength)
    return fail(NFS4ERR_INVAL, "18.43.3", "length {} is less than minlength {}", args.loga_length, args.loga_minlength);
  if (args.loga_minlength != NFS4_UINT64_MAX && args.loga_offset > NFS4_UINT64_MAX - args.loga_minlength)
    return fail(NFS4ERR_INVAL, "18.43.3", "offset {} + minlength {} is beyond 2^64", args.loga_offset, args.loga_minlength);
  if (args.loga_length != NFS4_UINT64_MAX && args.loga_offset > NFS4_UINT64_MAX - args.loga_length)
    return fail(NFS4ERR_INVAL, "18.43.3", "offset {} + length {} is beyond 2^64", args.loga_offset, args.loga_length);
  return {};
}

// Some open, lock or delegation of the client on the file allows the access: what a layout stateid stands for.
bool client_may(Mds& mds, clientid4 client, FileId file, uint32_t access) {
  if (const auto* delegation = mds.state().delegation_of(client, file); delegation != nullptr && delegation->write)
    return true;
  const auto* state = mds.state().file(file);
  if (state == nullptr) return false;
  for (const auto* open : state->opens)
    if (open->client == client && (open->access & access) != 0) return true;
  return false;
}

Status check_stateid(MdsContext& context, FileId file, const stateid4& argument, bool rw, const ByteRange& range) {
  stateid4 stateid;
  if (auto resolved = context.resolve_stateid(argument, stateid); !resolved) return resolved;
  context.trace.stateid = stateid;
  if (state::special_kind(stateid) != state::Special::none)
    return fail(NFS4ERR_BAD_STATEID, "18.43.3", "a layout is asked for with an open, lock, delegation or layout stateid");
  auto& pnfs = pnfs_of(context.mds);
  const auto key = state::StateKey::from(stateid);
  const bool is_layout = key && key->kind == state::StateKind::layout;
  const clientid4 client = context.clientid();
  if (!is_layout) {
    state::Entry* entry = nullptr;
    if (auto found = context.mds.state().find(client, file, stateid, entry); !found) return found;
    if (rw && (state::StateTable::allowed_access(*entry) & state::kShareWrite) == 0)
      return fail(NFS4ERR_OPENMODE, "18.43.3", "an RW layout under {}, which does not allow writing",
                  state::describe(stateid));
  }
  // A client that asks behind OPEN does not know yet which file it opens. Linux, when it turns out to hold a layout of
  // it, drops the reply, and its seqid stays behind: a recall would then be one "from the future" to it, DELAY for
  // ever.
  if (!is_layout && argument != stateid && pnfs.personality().recalls && pnfs.table().holds(client, file))
    return fail(NFS4ERR_LAYOUTTRYLATER, "12.5.3", "the client holds a layout of file {} and does not show its stateid",
                file);
  if (auto status = pnfs.table().may_get(client, file, stateid, is_layout, range); !status) return status;
  if (is_layout && rw && !client_may(context.mds, client, file, state::kShareWrite))
    return fail(NFS4ERR_OPENMODE, "18.43.3", "an RW layout, but the client has the file open for reading only");
  return {};
}

// The bytes of logr_layout on the wire.
size_t encoded_bytes(const std::vector<layout4>& segments) {
  size_t bytes = 4;
  for (const auto& segment : segments) bytes += 8 + 8 + 4 + 4 + 4 + (segment.lo_content.loc_body.size() + 3) / 4 * 4;
  return bytes;
}

// Leaves out what the client did not require until the rest fits (18.43.3: the length of the reply).
Status fit(MdsContext& context, const LAYOUTGET4args& args, uint64_t file_size, std::vector<layout4>& segments) {
  uint64_t need_end = control::range_of(args.loga_offset, args.loga_minlength).end;
  if (args.loga_iomode == LAYOUTIOMODE4_READ) need_end = std::min(need_end, std::max(file_size, args.loga_offset));
  constexpr size_t kHead = 4 + 4 + 4 + sizeof(stateid4);  // status, result, return_on_close, stateid
  const size_t room = context.reply_room() > kHead ? context.reply_room() - kHead : 0;
  const size_t most = std::min<size_t>(args.loga_maxcount, room);
  while (encoded_bytes(segments) > most && segments.size() > 1 && segments.back().lo_offset > args.loga_offset &&
         segments.back().lo_offset >= need_end)
    segments.pop_back();
  const size_t bytes = encoded_bytes(segments);
  if (bytes > args.loga_maxcount)
    return fail(NFS4ERR_TOOSMALL, "18.43.3", "the layout takes {} bytes, the client takes {}", bytes, args.loga_maxcount);
  if (bytes > room)
    return fail(NFS4ERR_REP_TOO_BIG, "2.10.6.4", "the layout takes {} bytes, the session's reply has room for {}", bytes,
                room);
  return {};
}

}  // namespace

Status op_layoutget(MdsContext& context, const LAYOUTGET4args& args, LAYOUTGET4res& res) {
  auto& pnfs = pnfs_of(context.mds);
  context.trace.iomode = args.loga_iomode;
  context.trace.offset = args.loga_offset;
  context.trace.count = args.loga_length;
  volume::Inode inode;
  if (auto status = context.current_inode(inode); !status) return status;
  // pnfs-dlm looked at this before anything else.
  if (args.loga_iomode == LAYOUTIOMODE4_RW && !pnfs.personality().grants_rw)
    return fail(NFS4ERR_BADIOMODE, "15.1.10.1", "{}", pnfs.personality().rw_refusal);
  if (inode.type != volume::FileType::regular)
    return fail(NFS4ERR_WRONG_TYPE, "15.1.2.9", "file {} is not a regular file", inode.fileid);
  LayoutDriver* driver = pnfs.driver(args.loga_layout_type);
  if (driver == nullptr)
    return fail(NFS4ERR_UNKNOWN_LAYOUTTYPE, "18.43.3", "layout type {} is not served here",
                static_cast<uint32_t>(args.loga_layout_type));
  if (args.loga_iomode != LAYOUTIOMODE4_READ && args.loga_iomode != LAYOUTIOMODE4_RW)
    return fail(NFS4ERR_BADIOMODE, "18.43.3", "iomode {} is neither READ nor RW", static_cast<uint32_t>(args.loga_iomode));
  if (auto status = check_lengths(args); !status) return status;
  if (context.mds.in_grace())
    return fail(NFS4ERR_GRACE, "18.43.3", "layouts do not survive a restart: none until the grace period is over");

  const bool rw = args.loga_iomode == LAYOUTIOMODE4_RW;
  LayoutRequest request;
  request.file = inode.fileid;
  request.generation = inode.generation;
  request.rw = rw;
  request.wanted = control::range_of(args.loga_offset, args.loga_length);
  request.minlength = args.loga_minlength;
  if (auto status = check_stateid(context, inode.fileid, args.loga_stateid, rw, request.wanted); !status) return status;
  if (!pnfs.current(context.clientid(), inode.fileid))
    return fail(NFS4ERR_RECALLCONFLICT, "12.2.10", "the client's layout names a data server that is gone: it is recalled");

  if (rw && is_privileged(inode.type, inode.mode))
    return fail(NFS4ERR_LAYOUTUNAVAILABLE, "18.43.3", "file {} has mode {:o}: who writes to it must be known here",
                inode.fileid, inode.mode);
  const uint32_t most = context.mds.options().limits.stateids_per_client;
  if (!pnfs.table().holds(context.clientid(), inode.fileid) && pnfs.table().count_of(context.clientid()) >= most)
    return fail(NFS4ERR_LAYOUTTRYLATER, "18.43.3", "the client holds layouts of {} files, as many as are allowed", most);

  request.file_size = inode.size;
  request.hint = inode.layout_hint;
  request.held = pnfs.table().striping_of(context.clientid(), inode.fileid);
  LayoutAnswer answer;
  if (auto status = driver->layout(request, context.arena(), answer); !status) return status;
  if (auto status = fit(context, args, inode.size, answer.segments); !status) return status;

  const auto& first = answer.segments.front();
  const auto& last = answer.segments.back();
  const ByteRange granted{first.lo_offset, control::range_of(last.lo_offset, last.lo_length).end};
  const stateid4 stateid = pnfs.table().granted(context.clientid(), inode.fileid, {granted, rw}, answer.striping);
  record_striping(context.mds.catalog(), pnfs.personality(), *answer.striping, !inode.layout_hint.empty());
  pnfs.table().note_request(context.clientid(), inode.fileid, context.name());
  context.set_current_stateid(stateid);
  res.logr_resok4.logr_return_on_close = answer.striping->return_on_close;
  res.logr_resok4.logr_stateid = stateid;
  res.logr_resok4.logr_layout.items = context.arena().make_array<layout4>(answer.segments.size());
  std::copy(answer.segments.begin(), answer.segments.end(), res.logr_resok4.logr_layout.items.begin());
  context.seen();
  return {};
}

}  // namespace pnfs::mds::layout
