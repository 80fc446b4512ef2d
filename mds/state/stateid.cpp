#include "mds/state/stateid.hpp"

#include <algorithm>

namespace pnfs::mds::state {

namespace {
constexpr size_t kKindAt = 4;
constexpr size_t kSerialAt = 5;

bool all(const stateid4& stateid, std::byte value) {
  return std::all_of(stateid.other.bytes.begin(), stateid.other.bytes.end(), [&](std::byte b) { return b == value; });
}
}  // namespace

stateid4 StateKey::with_seqid(uint32_t seqid) const {
  stateid4 result;
  result.seqid = seqid;
  auto& bytes = result.other.bytes;
  for (size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(instance >> (24 - 8 * i));
  bytes[kKindAt] = static_cast<std::byte>(kind);
  for (size_t i = 0; i < 7; ++i) bytes[kSerialAt + i] = static_cast<std::byte>(serial >> (48 - 8 * i));
  return result;
}

std::optional<StateKey> StateKey::from(const stateid4& stateid) {
  const auto& bytes = stateid.other.bytes;
  StateKey key;
  for (size_t i = 0; i < 4; ++i) key.instance = key.instance << 8 | static_cast<uint32_t>(bytes[i]);
  const auto kind = static_cast<uint8_t>(bytes[kKindAt]);
  if (kind < static_cast<uint8_t>(StateKind::open) || kind > static_cast<uint8_t>(StateKind::layout)) {
    return std::nullopt;
  }
  key.kind = static_cast<StateKind>(kind);
  for (size_t i = 0; i < 7; ++i) key.serial = key.serial << 8 | static_cast<uint64_t>(bytes[kSerialAt + i]);
  if (key.serial == 0) return std::nullopt;
  return key;
}

Special special_kind(const stateid4& stateid) {
  if (all(stateid, std::byte{0})) {
    if (stateid.seqid == 0) return Special::anonymous;
    if (stateid.seqid == 1) return Special::current;
    if (stateid.seqid == nfs::NFS4_UINT32_MAX) return Special::invalid;
    return Special::reserved;
  }
  if (all(stateid, std::byte{0xff})) {
    return stateid.seqid == nfs::NFS4_UINT32_MAX ? Special::read_bypass : Special::reserved;
  }
  return Special::none;
}

stateid4 anonymous_stateid() {
  return {};
}

stateid4 invalid_stateid() {
  stateid4 result;
  result.seqid = nfs::NFS4_UINT32_MAX;
  return result;
}

uint32_t next_seqid(uint32_t seqid) {
  return seqid == nfs::NFS4_UINT32_MAX ? 1 : seqid + 1;
}

SeqidOrder compare_seqid(uint32_t presented, uint32_t held) {
  if (presented == 0 || presented == held) return SeqidOrder::current;
  // Half of the number space lies behind, half ahead: the only reading under which wrapping works.
  return static_cast<int32_t>(presented - held) < 0 ? SeqidOrder::old : SeqidOrder::future;
}

std::string_view to_string(StateKind kind) {
  switch (kind) {
    case StateKind::open:
      return "open";
    case StateKind::lock:
      return "lock";
    case StateKind::delegation:
      return "delegation";
    case StateKind::layout:
      return "layout";
  }
  return "unknown";
}

std::string describe(const stateid4& stateid) {
  switch (special_kind(stateid)) {
    case Special::anonymous:
      return "anonymous";
    case Special::read_bypass:
      return "read-bypass";
    case Special::current:
      return "current";
    case Special::invalid:
      return "invalid";
    case Special::reserved:
      return fmt::format("reserved special:{}", stateid.seqid);
    case Special::none:
      break;
  }
  const auto key = StateKey::from(stateid);
  if (!key) return fmt::format("foreign:{}", stateid.seqid);
  return fmt::format("{}/{}:{}", to_string(key->kind), key->serial, stateid.seqid);
}

}  // namespace pnfs::mds::state
