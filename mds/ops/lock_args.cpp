#include "mds/ops/lock_args.hpp"

namespace pnfs::mds {

using namespace nfs;
using state::StateTable;

Status read_range(nfs_lock_type4 type, uint64_t offset, uint64_t length, state::ByteRange& range) {
  if (type < READ_LT || type > WRITEW_LT) {
    return fail(NFS4ERR_INVAL, "18.10.3", "lock type {} is unknown", static_cast<uint32_t>(type));
  }
  const auto read = state::ByteRange::from_wire(offset, length);
  if (!read) return fail(NFS4ERR_INVAL, "18.10.3", "{} bytes from {} are not a range", length, offset);
  range = *read;
  return {};
}

void fill_denied(MdsContext& context, const StateTable::LockDenied& from, LOCK4denied& to) {
  to.offset = from.range.begin;
  to.length = from.range.wire_length();
  to.locktype = from.exclusive ? WRITE_LT : READ_LT;
  to.owner.clientid = from.client;
  to.owner.owner.bytes = context.arena().copy(std::as_bytes(std::span(from.owner)));
}

}  // namespace pnfs::mds
