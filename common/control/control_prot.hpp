// Wire types of the control program between the metadata server and its data servers: described once, like NFS's own,
// so that the same traces show them and the same fault rules reach them.
//
// The program is served by the MDS on the listeners it serves NFS on. A DS connects and registers; from then on calls
// run both ways over that one connection. What each procedure promises is told at its arguments.
#pragma once

#include "common/xdr/types.hpp"

namespace pnfs::control {

inline constexpr uint32_t kControlProgram = 0x20504e46;  // in RFC 5531's user-defined range
inline constexpr uint32_t kControlVersion = 1;

PNFS_XDR_ENUM(control_proc, (CTLPROC_NULL, 0),
              // DS -> MDS
              (CTLPROC_REGISTER, 1), (CTLPROC_RENEW, 2), (CTLPROC_GRANT, 3), (CTLPROC_GRANT_RETURN, 4),
              (CTLPROC_STATEID_CHECK, 5), (CTLPROC_FILE_CHANGED, 6), (CTLPROC_LEAVE, 7),
              // MDS -> DS
              (CTLPROC_PING, 16), (CTLPROC_REVOKE, 17), (CTLPROC_REVOKE_STATEID, 18),
              // anybody -> MDS: what `pnfslab nodes` and `pnfslab locks` show
              (CTLPROC_NODES, 32), (CTLPROC_LOCKS, 33))

PNFS_XDR_ENUM(control_status, (CTL_OK, 0), (CTL_DELAY, 1), (CTL_NOT_MEMBER, 2), (CTL_STALE_EPOCH, 3), (CTL_REFUSED, 4),
              (CTL_NOT_FOUND, 5), (CTL_NO_SPACE, 6), (CTL_IO, 7), (CTL_INVALID, 8))

PNFS_XDR_ENUM(grant_mode, (GRANT_PR, 1), (GRANT_EX, 2))

// What a call that failed carries: for people and traces, never for decisions.
using ControlReason = xdr::String<1024>;

struct ctl_range {
  uint64_t offset = 0;
  uint64_t length = 0;  // UINT64_MAX: to the end
  PNFS_XDR(ctl_range, offset, length)
};

struct ctl_stripe_set {
  ctl_range window;
  uint64_t unit_bytes = 0;
  uint32_t count = 1;
  uint64_t pattern_offset = 0;
  uint32_t first_index = 0;
  xdr::Array<uint32_t, 4096> indices;
  PNFS_XDR(ctl_stripe_set, window, unit_bytes, count, pattern_offset, first_index, indices)
};

// Where `length` bytes of the file from `file_offset` on lie in the volume. Multiples of the volume's block.
struct ctl_extent {
  uint64_t file_offset = 0;
  uint64_t volume_offset = 0;
  uint64_t length = 0;
  PNFS_XDR(ctl_extent, file_offset, volume_offset, length)
};

// One address of a data server, as its own configuration says; an unspecified IP (0.0.0.0) leaves the IP to the MDS.
struct ctl_address {
  xdr::String<64> ip;
  uint32_t port = 0;
  PNFS_XDR(ctl_address, ip, port)
};

// ---- REGISTER: join the cluster. `owner_instance` is the random number that this MDS wrote into the volume's owner
// record when it mounted it: only who reads the same volume, mounted by this MDS, knows it.
struct REGISTERargs {
  xdr::FixedOpaque<16> volume_uuid;
  uint64_t owner_instance = 0;
  xdr::String<255> node;
  uint64_t instance = 0;        // differs for each start of the server
  uint64_t reservation_key = 0;  // 0: no persistent reservations
  uint64_t store_epoch = 0;
  xdr::String<1024> so_major_id;
  xdr::Array<ctl_address, 16> addresses;
  PNFS_XDR(REGISTERargs, volume_uuid, owner_instance, node, instance, reservation_key, store_epoch, so_major_id, addresses)
};

struct REGISTERok {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;      // grants of another epoch are void
  uint64_t write_epoch = 0;    // of the volume: raised when any node's device session was lost
  uint64_t mds_instance = 0;   // with write_epoch the verifier of files that commit through the MDS
  uint32_t node_lease_ms = 0;  // renew well before; less than half of the shortest client lease
  uint32_t client_lease_ms = 0;
  xdr::String<1024> server_scope;
  bool takes_mds_handles = false;  // some layouts have no filehandles: clients use those of OPEN (RFC 8881 13.3)
  PNFS_XDR(REGISTERok, node_id, mds_epoch, write_epoch, mds_instance, node_lease_ms, client_lease_ms, server_scope,
           takes_mds_handles)
};

struct REGISTERres {
  control_status status = CTL_OK;
  REGISTERok ok;
  ControlReason reason;
  PNFS_XDR_UNION(REGISTERres, status, PNFS_ARM(CTL_OK, ok), PNFS_DEFAULT(reason))
};

// ---- RENEW: keep the node's lease. The reply's time counts from when the call was sent.
struct RENEWargs {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;
  uint64_t store_epoch = 0;
  PNFS_XDR(RENEWargs, node_id, mds_epoch, store_epoch)
};

struct RENEWok {
  uint64_t write_epoch = 0;
  PNFS_XDR(RENEWok, write_epoch)
};

struct RENEWres {
  control_status status = CTL_OK;
  RENEWok ok;
  ControlReason reason;
  PNFS_XDR_UNION(RENEWres, status, PNFS_ARM(CTL_OK, ok), PNFS_DEFAULT(reason))
};

// ---- GRANT: the right to read (PR) or to write (EX) a stripe set, with the extents under it. With EX every block of
// `need` is allocated, durably, before the reply leaves. With `grant_id` not 0 a held grant is extended: same id, new
// extents. DELAY while another node's grant is being revoked.
struct GRANTargs {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;
  uint64_t grant_id = 0;
  uint64_t fileid = 0;
  uint64_t file_generation = 0;
  grant_mode mode = GRANT_PR;
  ctl_stripe_set set;
  ctl_range need;
  uint64_t written_end = 0;  // the end of this node's furthest write, which no LAYOUTCOMMIT may have told yet
  PNFS_XDR(GRANTargs, node_id, mds_epoch, grant_id, fileid, file_generation, mode, set, need, written_end)
};

struct GRANTok {
  uint64_t grant_id = 0;
  uint64_t generation = 0;  // rises with each reply about this grant
  uint64_t mds_epoch = 0;
  grant_mode mode = GRANT_PR;
  ctl_stripe_set set;      // may be a wider window than was asked for
  ctl_range mapped;        // what the extents below tell everything about; outside of it ask again
  uint64_t file_size = 0;  // that the MDS holds durably
  xdr::Array<ctl_extent, 65536> extents;
  PNFS_XDR(GRANTok, grant_id, generation, mds_epoch, mode, set, mapped, file_size, extents)
};

struct GRANTres {
  control_status status = CTL_OK;
  GRANTok ok;
  ControlReason reason;
  PNFS_XDR_UNION(GRANTres, status, PNFS_ARM(CTL_OK, ok), PNFS_DEFAULT(reason))
};

// A grant on its way back, with the end of the furthest write the node did to the file: the MDS raises the size to it,
// so that what was written stays readable before any LAYOUTCOMMIT (RFC 8881 13.9.2.3 lets it).
struct grant_end {
  uint64_t grant_id = 0;
  uint64_t written_end = 0;
  PNFS_XDR(grant_end, grant_id, written_end)
};

// ---- GRANT_RETURN: given back unasked (cache full, node stops). No I/O under it is in flight and none will start.
struct GRANT_RETURNargs {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;
  xdr::Array<grant_end, 4096> grants;
  PNFS_XDR(GRANT_RETURNargs, node_id, mds_epoch, grants)
};

struct STATUSres {
  control_status status = CTL_OK;
  ControlReason reason;
  PNFS_XDR_UNION(STATUSres, status, PNFS_VOID_ARM(CTL_OK), PNFS_DEFAULT(reason))
};

// ---- STATEID_CHECK: may this client use this stateid for this filehandle here? The verdict may be kept until the MDS
// revokes it. RFC 8881 13.9.1: the same validation as at the MDS.
struct STATEID_CHECKargs {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;
  xdr::Opaque<1024> co_ownerid;
  xdr::String<255> principal;  // of the client's record at the DS
  uint32_t seqid = 0;
  xdr::FixedOpaque<12> other;
  xdr::Opaque<128> filehandle;
  uint32_t access = 0;  // OPEN4_SHARE_ACCESS_READ | _WRITE
  PNFS_XDR(STATEID_CHECKargs, node_id, mds_epoch, co_ownerid, principal, seqid, other, filehandle, access)
};

struct STATEID_CHECKok {
  uint64_t fileid = 0;
  uint64_t file_generation = 0;
  uint32_t access = 0;  // everything the stateid allows, not only what was asked
  bool dense = false;
  bool commit_thru_mds = false;
  uint32_t dense_index = 0;  // dense: the stripe index this filehandle stands for
  uint64_t file_size = 0;
  ctl_stripe_set set;  // this node's stripes of the client's layout, window = from the first to the last byte it covers
  xdr::Array<ctl_range, 8192> readable;  // what the layout really covers, ascending: parts may have been returned
  xdr::Array<ctl_range, 8192> writable;  // and what of it for RW
  PNFS_XDR(STATEID_CHECKok, fileid, file_generation, access, dense, commit_thru_mds, dense_index, file_size, set,
           readable, writable)
};

struct stateid_refusal {
  uint32_t nfs_status = 0;  // nfsstat4 for the client
  ControlReason reason;
  PNFS_XDR(stateid_refusal, nfs_status, reason)
};

struct STATEID_CHECKres {
  control_status status = CTL_OK;
  STATEID_CHECKok ok;
  stateid_refusal refusal;  // CTL_REFUSED
  ControlReason reason;
  PNFS_XDR_UNION(STATEID_CHECKres, status, PNFS_ARM(CTL_OK, ok), PNFS_ARM(CTL_REFUSED, refusal), PNFS_DEFAULT(reason))
};

// ---- FILE_CHANGED: what was written must be found even if no LAYOUTCOMMIT follows: FILE_SYNC4 (RFC 8881 18.32.3), and
// COMMIT at a data server. The reply leaves when size and times are durable at the MDS; what the caller gave back before
// is among it.
struct FILE_CHANGEDargs {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;
  uint64_t fileid = 0;
  uint64_t file_generation = 0;
  uint64_t size_at_least = 0;  // ignored unless the caller holds an exclusive grant of the byte before it
  bool touch = false;          // the times change as well
  PNFS_XDR(FILE_CHANGEDargs, node_id, mds_epoch, fileid, file_generation, size_at_least, touch)
};

// ---- LEAVE: the node stops in good order. It has no I/O under way and starts none; what it held it has given back.
struct LEAVEargs {
  uint32_t node_id = 0;
  uint64_t mds_epoch = 0;
  PNFS_XDR(LEAVEargs, node_id, mds_epoch)
};

// ---- MDS -> DS. PING also tells a new write epoch: after the reply no WRITE is answered with an older verifier.
struct PINGargs {
  uint64_t mds_epoch = 0;
  uint64_t write_epoch = 0;
  PNFS_XDR(PINGargs, mds_epoch, write_epoch)
};

// The reply means: no I/O under these grants is in flight and none will start. An id the DS does not know (the grant's
// reply is still under way) is remembered as revoked.
struct REVOKEargs {
  uint64_t mds_epoch = 0;
  xdr::Array<uint64_t, 4096> grant_ids;
  PNFS_XDR(REVOKEargs, mds_epoch, grant_ids)
};

struct REVOKEok {
  xdr::Array<grant_end, 4096> grants;
  PNFS_XDR(REVOKEok, grants)
};

struct REVOKEres {
  control_status status = CTL_OK;
  REVOKEok ok;
  ControlReason reason;
  PNFS_XDR_UNION(REVOKEres, status, PNFS_ARM(CTL_OK, ok), PNFS_DEFAULT(reason))
};

// Verdicts to forget: on one stateid of one file, on all of a file's (other = zeros), or on all of all files
// (fileid 0). The reply means the same as REVOKE's, for I/O that stood on such a verdict. A check whose call was sent
// before this arrived must not be kept.
struct verdict_key {
  uint64_t fileid = 0;
  xdr::FixedOpaque<12> other;
  PNFS_XDR(verdict_key, fileid, other)
};

struct REVOKE_STATEIDargs {
  uint64_t mds_epoch = 0;
  xdr::Array<verdict_key, 4096> keys;
  PNFS_XDR(REVOKE_STATEIDargs, mds_epoch, keys)
};

// ---- NODES: who belongs to the cluster, as corosync-quorumtool -l showed it.
PNFS_XDR_ENUM(ctl_node_state, (NODE_JOINING, 0), (NODE_MEMBER, 1), (NODE_LOST, 2), (NODE_FENCED, 3), (NODE_LEFT, 4),
              // recorded before this start of the MDS and not back yet: nothing that might conflict with it is granted
              (NODE_UNKNOWN, 5))

struct ctl_node {
  uint32_t node_id = 0;  // 0: the MDS itself
  xdr::String<255> name;
  ctl_node_state state = NODE_MEMBER;
  bool connected = false;
  bool draining = false;
  uint64_t instance = 0;
  uint64_t reservation_key = 0;  // 0: no persistent reservations
  uint64_t store_epoch = 0;      // of its device session: rises when it was lost
  uint64_t lease_left_ms = 0;
  uint32_t grants = 0;
  uint32_t verdicts = 0;
  xdr::Array<ctl_address, 16> addresses;
  PNFS_XDR(ctl_node, node_id, name, state, connected, draining, instance, reservation_key, store_epoch, lease_left_ms,
           grants, verdicts, addresses)
};

struct NODESok {
  xdr::String<512> cluster;  // "cluster:name" of the volume
  uint64_t mds_epoch = 0;
  uint64_t write_epoch = 0;
  uint32_t node_lease_ms = 0;
  uint64_t fenced = 0;       // how many lives of nodes were ended since the start
  uint64_t waited_out = 0;   // of them, those that no device could fence: their lease was waited for
  xdr::Array<ctl_node, 4096> nodes;
  PNFS_XDR(NODESok, cluster, mds_epoch, write_epoch, node_lease_ms, fenced, waited_out, nodes)
};

struct NODESargs {
  uint32_t reserved = 0;
  PNFS_XDR(NODESargs, reserved)
};

struct NODESres {
  control_status status = CTL_OK;
  NODESok ok;
  ControlReason reason;
  PNFS_XDR_UNION(NODESres, status, PNFS_ARM(CTL_OK, ok), PNFS_DEFAULT(reason))
};

// ---- LOCKS: grants in force, as dlm_tool lockdebug showed locks; in ascending ids, a page at a time.
struct ctl_lock {
  uint64_t grant_id = 0;
  uint32_t node_id = 0;
  uint64_t fileid = 0;
  grant_mode mode = GRANT_PR;
  uint64_t generation = 0;
  bool revoking = false;
  bool quarantined = false;  // its node was cut off and may still write: stays in the way
  ctl_stripe_set set;
  PNFS_XDR(ctl_lock, grant_id, node_id, fileid, mode, generation, revoking, quarantined, set)
};

struct LOCKSargs {
  uint64_t after = 0;   // the last grant id of the page before; 0: from the start
  uint64_t fileid = 0;  // 0: of every file
  PNFS_XDR(LOCKSargs, after, fileid)
};

struct LOCKSok {
  bool more = false;
  xdr::Array<ctl_lock, 256> locks;
  PNFS_XDR(LOCKSok, more, locks)
};

struct LOCKSres {
  control_status status = CTL_OK;
  LOCKSok ok;
  ControlReason reason;
  PNFS_XDR_UNION(LOCKSres, status, PNFS_ARM(CTL_OK, ok), PNFS_DEFAULT(reason))
};

}  // namespace pnfs::control
