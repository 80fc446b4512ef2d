// What a LUN that is no volume of ours looks like, so that a refusal can say it. Offsets are the well-known places of
// each format's magic number.
#include <algorithm>
#include <cstring>

#include "common/volume/superblock.hpp"

namespace pnfs::volume {

namespace {
struct Signature {
  size_t offset;
  std::string_view magic;
  const char* what;
};
using namespace std::string_view_literals;
constexpr Signature kSignatures[] = {
    {0, "XFSB"sv, "an XFS file system"},
    {0, "LUKS\xba\xbe"sv, "a LUKS encrypted device"},
    {0, "hsqs"sv, "a squashfs file system"},
    {0, "QFI\xfb"sv, "a qcow2 disk image"},
    {0, "SQLite format 3\0"sv, "an SQLite database"},
    {3, "NTFS    "sv, "an NTFS file system"},
    {54, "FAT"sv, "a FAT file system"},
    {82, "FAT32"sv, "a FAT32 file system"},
    {512, "EFI PART"sv, "a partition table (GPT)"},
    {512, "LABELONE"sv, "an LVM physical volume"},
    {0, "LABELONE"sv, "an LVM physical volume"},
    {1024, "H+\0\4"sv, "an HFS+ file system"},
    {4086, "SWAPSPACE2"sv, "swap space"},
    {32769, "CD001"sv, "an ISO 9660 file system"},
    {65536, "\x01\x16\x19\x70"sv, "a GFS2 file system"},  // mh_magic, big-endian, in sector 128
    {65600, "_BHRfS_M"sv, "a btrfs file system"},
    {8192, "OCFSV2"sv, "an OCFS2 file system"},
    {4096, "OCFSV2"sv, "an OCFS2 file system"},
    {1024, "OCFSV2"sv, "an OCFS2 file system"},
    {4096, "\xfc\x4e\x2b\xa9"sv, "a member of an MD RAID"},
};

bool has(std::span<const std::byte> bytes, size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() && std::memcmp(bytes.data() + offset, magic.data(), magic.size()) == 0;
}

uint32_t le32(std::span<const std::byte> bytes, size_t offset) {
  uint32_t v = 0;
  for (int i = 3; i >= 0; --i) v = v << 8 | static_cast<uint32_t>(bytes[offset + i]);
  return v;
}

// ext superblock at 1024: magic at +56, compatible features at +92, incompatible ones at +96.
const char* describe_ext(std::span<const std::byte> bytes) {
  if (!has(bytes, 1024 + 56, "\x53\xef"sv) || bytes.size() < 1024 + 100) return nullptr;
  if ((le32(bytes, 1024 + 96) & 0x40) != 0) return "an ext4 file system";  // extents
  if ((le32(bytes, 1024 + 92) & 0x4) != 0) return "an ext3 file system";   // has_journal
  return "an ext2 file system";
}
}  // namespace

std::string describe_content(std::span<const std::byte> bytes) {
  if (has(bytes, 0, std::string_view(kSuperblockMagic, 8))) return "a pnfslab volume";
  if (const char* ext = describe_ext(bytes)) return ext;
  for (const Signature& s : kSignatures) {
    if (has(bytes, s.offset, s.magic)) return s.what;
  }
  if (has(bytes, 510, "\x55\xaa"sv)) return "a partition table (MBR) or boot sector";
  if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; })) return "all zeros";
  return "data of an unknown kind";
}

}  // namespace pnfs::volume
