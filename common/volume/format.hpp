// The constants of FORMAT.md. A change of anything here is a change of the on-disk format: raise kFormatVersion and
// give an upgrade path.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pnfs::volume {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr char kSuperblockMagic[8] = {'p', 'N', 'F', 'S', 'l', 'a', 'b', 'V'};
inline constexpr char kOwnerMagic[8] = {'p', 'N', 'F', 'S', 'l', 'a', 'b', 'O'};
inline constexpr char kMarkMagic[8] = {'p', 'N', 'F', 'S', 'l', 'a', 'b', 'G'};

// Every metadata block: magic (8), payload, crc32c in the last four bytes. Numbers are little-endian.
inline constexpr size_t kMetaBlockBytes = 4096;

inline constexpr uint64_t kSuperblockOffsets[2] = {0, 64 * 1024};
inline constexpr uint64_t kSlotTableOffset = 128 * 1024;

inline constexpr uint32_t kPageBytes = 4096;  // SQLite page
inline constexpr uint64_t kFrameHeaderBytes = 24;  // of a WAL frame, before its page
inline constexpr uint64_t kFrameBytes = kFrameHeaderBytes + kPageBytes;
inline constexpr uint64_t kRegionAlign = 1024 * 1024;

inline constexpr uint32_t kMaxNodeSlots = 128;
inline constexpr uint64_t kMinVolumeBytes = 16ull << 20;
inline constexpr uint64_t kMinCatalogBytes = 4ull << 20;
inline constexpr uint64_t kMinLogBytes = 2ull << 20;
inline constexpr uint32_t kDefaultAllocationBytes = 1u << 20;
inline constexpr size_t kMaxLabelBytes = 64;  // cluster and name, each

}  // namespace pnfs::volume
