// What stands at the start of a volume (FORMAT.md), decoded. Pure: bytes in, values out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "common/base/result.hpp"
#include "common/volume/format.hpp"

namespace pnfs::volume {

using Uuid = std::array<std::byte, 16>;
std::string to_string(const Uuid& uuid);

struct Region {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t end() const { return offset + length; }
  bool operator==(const Region&) const = default;
};

struct Superblock {
  uint32_t version = kFormatVersion;
  Uuid uuid{};
  std::string cluster;  // -t cluster:name
  std::string name;
  uint32_t node_slots = 0;        // -j N: data servers 1..N
  uint32_t block_bytes = 0;       // of the LUN at mkfs; mounting with larger blocks is refused
  uint32_t allocation_bytes = 0;  // extents grow in such pieces
  uint64_t volume_bytes = 0;
  uint64_t generation = 0;   // the copy with the highest valid one counts
  uint64_t write_epoch = 0;  // raised when any node may have lost unflushed writes; part of the write verifier
  uint64_t created_seconds = 0;
  Region slots;    // two blocks that the owner (MDS) writes in turn, then one reserved for each node slot
  Region marks;    // two generation blocks
  Region catalog;  // SQLite database image
  Region log;      // SQLite WAL
  Region data;     // extents
  bool operator==(const Superblock&) const = default;
};

// Exactly kMetaBlockBytes.
std::array<std::byte, kMetaBlockBytes> encode(const Superblock& superblock);
// not_found: no magic number; unsupported: another version; corrupt: checksum or contradicting regions.
Result<Superblock> decode_superblock(std::span<const std::byte> block);

// Who has the volume mounted. The heartbeat counts the writes of the record, over all owners (the higher of the two
// blocks counts; they are written in turn, so that a torn one leaves its predecessor). It rises while the owner lives;
// a newcomer that sees it stand still for lease_ms may take over (and fences the old key).
struct OwnerRecord {
  bool active = false;
  std::string node;  // name of the MDS
  std::string host;  // boot id of its machine, so that a restart on the same machine need not wait
  uint64_t pid = 0;
  uint64_t instance = 0;  // random per mount
  uint64_t key = 0;       // persistent reservation key, 0 if the LUN has none
  uint64_t heartbeat = 0;
  uint32_t lease_ms = 0;
  uint64_t mounted_seconds = 0;
  bool operator==(const OwnerRecord&) const = default;
};
std::array<std::byte, kMetaBlockBytes> encode(const OwnerRecord& owner);
Result<OwnerRecord> decode_owner(std::span<const std::byte> block);

// The generation block: odd while a checkpoint rewrites the image.
struct GenerationMark {
  uint64_t generation = 0;
  uint64_t image_pages = 0;
  std::array<std::byte, 8> retired_salts{};  // a log whose header carries these was checkpointed: ignore it
  bool operator==(const GenerationMark&) const = default;
};
std::array<std::byte, kMetaBlockBytes> encode(const GenerationMark& mark);
Result<GenerationMark> decode_mark(std::span<const std::byte> block);

// For refusals: what the first bytes look like ("an ext4 file system", "all zeros", "a partition table (MBR)", ...).
std::string describe_content(std::span<const std::byte> first_bytes);
inline constexpr size_t kProbeBytes = 64 * 1024 + 4096;

}  // namespace pnfs::volume
