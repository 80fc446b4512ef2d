#include "common/nfs/file_handle.hpp"

#include <cstring>

namespace pnfs::nfs {
namespace {

constexpr std::byte kMagic[2] = {std::byte{'p'}, std::byte{'F'}};
constexpr std::byte kVersion{2};

void put(std::byte* at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * (bytes - 1 - i)));
}

uint64_t get(const std::byte* at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<uint64_t>(at[i]);
  return value;
}

// FNV-1a. Not a secret: it catches handles damaged on the way and random bytes, not forgery.
uint64_t fnv(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (std::byte b : bytes) hash = (hash ^ static_cast<uint64_t>(b)) * 0x100000001b3;
  return hash;
}

}  // namespace

// magic 2 · version 1 · kind 1 · volume 8 · fileid 8 · generation 4 · stripe index 4 · check 4
FileHandle::Wire FileHandle::to_wire() const {
  Wire wire{};
  wire[0] = kMagic[0];
  wire[1] = kMagic[1];
  wire[2] = kVersion;
  wire[3] = static_cast<std::byte>(kind);
  put(&wire[4], volume_id, 8);
  put(&wire[12], fileid, 8);
  put(&wire[20], generation, 4);
  put(&wire[24], stripe_index, 4);
  put(&wire[28], fnv(std::span(wire).first(28)) & 0xffffffff, 4);
  return wire;
}

std::optional<FileHandle> FileHandle::from_wire(std::span<const std::byte> bytes) {
  if (bytes.size() != kWireBytes) return std::nullopt;
  if (bytes[0] != kMagic[0] || bytes[1] != kMagic[1] || bytes[2] != kVersion) return std::nullopt;
  FileHandle handle;
  handle.kind = static_cast<HandleKind>(bytes[3]);
  handle.volume_id = get(&bytes[4], 8);
  handle.fileid = get(&bytes[12], 8);
  handle.generation = static_cast<uint32_t>(get(&bytes[20], 4));
  if (handle.kind != HandleKind::mds && handle.kind != HandleKind::ds) return std::nullopt;
  if (handle.fileid == 0) return std::nullopt;
  handle.stripe_index = static_cast<uint32_t>(get(&bytes[24], 4));
  if (handle.kind == HandleKind::mds && handle.stripe_index != kNoStripe) return std::nullopt;
  if (get(&bytes[28], 4) != (fnv(bytes.first(28)) & 0xffffffff)) return std::nullopt;
  return handle;
}

uint64_t volume_id_of(std::span<const std::byte, 16> uuid) {
  return fnv(uuid);
}

}  // namespace pnfs::nfs
