// Reading the attributes that a client wants to set.
#include "common/nfs/attributes.hpp"
#include "mds/layout/layout_hint.hpp"
#include "mds/namespace/attributes.hpp"

namespace pnfs::mds {

using nfs::fail;

namespace {

Status set_mode(uint32_t mode, std::optional<uint32_t> mask, SetAttributes& out) {
  if (out.mode) return fail(nfs::NFS4ERR_INVAL, "6.2.5", "mode and mode_set_masked at once");
  if ((mode & ~kModeBits) != 0 || (mask.value_or(0) & ~kModeBits) != 0) {
    return fail(nfs::NFS4ERR_INVAL, "6.2.4", "mode {:o} has bits beyond 7777", mode);
  }
  out.mode = mode;
  out.mode_mask = mask;
  return {};
}

Status set_owner(std::string_view text, std::optional<uint32_t>& out) {
  out = parse_owner(text);
  if (out) return {};
  return fail(nfs::NFS4ERR_BADOWNER, "5.9", "\"{}\" is neither a number nor a name that is known here", text);
}

SetTime set_time(const nfs::settime4& time) {
  return {time.set_it != nfs::SET_TO_CLIENT_TIME4, nfs::to_wall_time(time.time)};
}

}  // namespace

Status read_settable(const nfs::fattr4& attributes, Arena& arena, SetAttributes& out) {
  nfs::Attributes a;
  if (Status status = nfs::decode_attributes(attributes, supported_attributes(), nfs::DecodeFor::set, arena, a);
      !status) {
    return status;
  }
  if (a.has(nfs::FATTR4_SIZE)) out.size = a.size;
  if (a.has(nfs::FATTR4_MODE)) {
    if (Status status = set_mode(a.mode, std::nullopt, out); !status) return status;
  }
  if (a.has(nfs::FATTR4_MODE_SET_MASKED)) {
    if (Status status = set_mode(a.mode_set_masked.mm_value_to_set, a.mode_set_masked.mm_mask_bits, out); !status) {
      return status;
    }
  }
  if (a.has(nfs::FATTR4_OWNER)) {
    if (Status status = set_owner(a.owner.text, out.uid); !status) return status;
  }
  if (a.has(nfs::FATTR4_OWNER_GROUP)) {
    if (Status status = set_owner(a.owner_group.text, out.gid); !status) return status;
  }
  if (a.has(nfs::FATTR4_TIME_ACCESS_SET)) out.atime = set_time(a.time_access_set);
  if (a.has(nfs::FATTR4_TIME_MODIFY_SET)) out.mtime = set_time(a.time_modify_set);
  if (a.has(nfs::FATTR4_TIME_CREATE)) out.btime = nfs::to_wall_time(a.time_create);
  if (a.has(nfs::FATTR4_LAYOUT_HINT)) {
    std::string words;
    if (Status status = layout::words_of_hint(a.layout_hint, words); !status) return status;
    out.layout_hint = arena.copy(std::string_view(words));
  }
  return {};
}

}  // namespace pnfs::mds
