#include "testbed/client/attributes.hpp"

#include "common/xdr/codec.hpp"

namespace pnfs::client {

using namespace nfs;

bitmap4 Attributes::usual() {
  return {FATTR4_TYPE,        FATTR4_CHANGE,
          FATTR4_SIZE,        FATTR4_FSID,
          FATTR4_FILEID,      FATTR4_MODE,
          FATTR4_NUMLINKS,    FATTR4_OWNER,
          FATTR4_OWNER_GROUP, FATTR4_SPACE_USED,
          FATTR4_TIME_ACCESS, FATTR4_TIME_METADATA,
          FATTR4_TIME_MODIFY, FATTR4_MOUNTED_ON_FILEID};
}

namespace {

template <class T>
bool read(xdr::Decoder& d, std::optional<T>& out) {
  T value{};
  if (!xdr::decode(d, value)) return false;
  out = value;
  return true;
}

bool read(xdr::Decoder& d, std::optional<std::string>& out) {
  String<> text;
  if (!xdr::decode(d, text)) return false;
  out = std::string(text.text);
  return true;
}

bool read(xdr::Decoder& d, std::optional<std::vector<uint32_t>>& out) {
  Array<uint32_t> words;
  if (!xdr::decode(d, words)) return false;
  out = std::vector(words.begin(), words.end());
  return true;
}

bool read_one(xdr::Decoder& d, uint32_t bit, Attributes& a) {
  switch (bit) {
    case FATTR4_TYPE:
      return read(d, a.type);
    case FATTR4_CHANGE:
      return read(d, a.change);
    case FATTR4_SIZE:
      return read(d, a.size);
    case FATTR4_FSID:
      return read(d, a.fsid);
    case FATTR4_LEASE_TIME:
      return read(d, a.lease_s);
    case FATTR4_RDATTR_ERROR:
      return read(d, a.read_error);
    case FATTR4_FILEID:
      return read(d, a.fileid);
    case FATTR4_MAXREAD:
      return read(d, a.max_read);
    case FATTR4_MAXWRITE:
      return read(d, a.max_write);
    case FATTR4_MODE:
      return read(d, a.mode);
    case FATTR4_NUMLINKS:
      return read(d, a.links);
    case FATTR4_OWNER:
      return read(d, a.owner);
    case FATTR4_OWNER_GROUP:
      return read(d, a.group);
    case FATTR4_SPACE_USED:
      return read(d, a.space_used);
    case FATTR4_TIME_ACCESS:
      return read(d, a.access_time);
    case FATTR4_TIME_METADATA:
      return read(d, a.metadata_time);
    case FATTR4_TIME_MODIFY:
      return read(d, a.modify_time);
    case FATTR4_MOUNTED_ON_FILEID:
      return read(d, a.mounted_on);
    case FATTR4_FS_LAYOUT_TYPES:
      return read(d, a.layout_types);
    default:
      return false;
  }
}

}  // namespace

std::optional<Attributes> read_attributes(const fattr4& wire) {
  Arena arena;
  xdr::Decoder d(wire.attr_vals.bytes, arena);
  Attributes attributes;
  bool good = true;
  wire.attrmask.each([&](uint32_t bit) { good = good && read_one(d, bit, attributes); });
  if (!good || d.left() != 0) return std::nullopt;
  return attributes;
}

fattr4 NewAttributes::encode(Arena& arena) const {
  fattr4 wire;
  xdr::Encoder e(arena);
  auto put = [&wire, &e](uint32_t bit, const auto& value) {
    wire.attrmask.set(bit);
    xdr::encode(e, value);
  };
  if (size) put(FATTR4_SIZE, *size);
  if (mode) put(FATTR4_MODE, *mode);
  if (owner) put(FATTR4_OWNER, String<>{*owner});
  if (group) put(FATTR4_OWNER_GROUP, String<>{*group});
  if (modify_time) {
    settime4 time;
    time.set_it = SET_TO_CLIENT_TIME4;
    time.time = *modify_time;
    put(FATTR4_TIME_MODIFY_SET, time);
  }
  if (e.size() != 0) wire.attr_vals.bytes = arena.copy(std::span<const std::byte>(e.flatten()));
  return wire;
}

}  // namespace pnfs::client
