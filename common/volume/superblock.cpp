#include "common/volume/superblock.hpp"

#include "common/volume/meta_block.hpp"

namespace pnfs::volume {

namespace {

void write_region(BlockWriter& out, const Region& region) {
  out.u64(region.offset);
  out.u64(region.length);
}

Region read_region(BlockReader& in) {
  Region region;
  region.offset = in.u64();
  region.length = in.u64();
  return region;
}

Result<void> check_regions(const Superblock& s) {
  uint64_t previous_end = kSuperblockOffsets[1] + kMetaBlockBytes;
  struct Named {
    const char* name;
    const Region* region;
  };
  for (const Named& r : {Named{"slot table", &s.slots}, Named{"generation blocks", &s.marks},
                         Named{"catalog", &s.catalog}, Named{"log", &s.log}, Named{"data", &s.data}}) {
    if (r.region->offset < previous_end || r.region->offset % kMetaBlockBytes != 0 ||
        r.region->length % kMetaBlockBytes != 0 || r.region->offset > s.volume_bytes ||
        r.region->length > s.volume_bytes - r.region->offset) {
      return error(Errc::corrupt, "the superblock places the {} at {}+{}, which cannot be", r.name, r.region->offset,
                   r.region->length);
    }
    previous_end = r.region->end();
  }
  if (s.slots.length < (s.node_slots + 2ull) * kMetaBlockBytes || s.marks.length < 2 * kMetaBlockBytes ||
      s.catalog.length < kMinCatalogBytes || s.log.length < kMinLogBytes || s.node_slots > kMaxNodeSlots ||
      s.allocation_bytes == 0 || s.allocation_bytes % kMetaBlockBytes != 0) {
    return error(Errc::corrupt, "the superblock contradicts itself (slots {}, catalog {}, log {}, allocation {})",
                 s.node_slots, s.catalog.length, s.log.length, s.allocation_bytes);
  }
  return {};
}

}  // namespace

std::string to_string(const Uuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned>(uuid[i]));
  }
  return text;
}

std::array<std::byte, kMetaBlockBytes> encode(const Superblock& s) {
  BlockWriter out(kSuperblockMagic);
  out.u32(s.version);
  out.bytes(s.uuid.data(), s.uuid.size());
  out.text(s.cluster);
  out.text(s.name);
  out.u32(s.node_slots);
  out.u32(s.block_bytes);
  out.u32(s.allocation_bytes);
  out.u64(s.volume_bytes);
  out.u64(s.generation);
  out.u64(s.write_epoch);
  out.u64(s.created_seconds);
  for (const Region* r : {&s.slots, &s.marks, &s.catalog, &s.log, &s.data}) write_region(out, *r);
  return out.finish();
}

Result<Superblock> decode_superblock(std::span<const std::byte> block) {
  if (!BlockReader::has_magic(block, kSuperblockMagic)) return error(Errc::not_found, "no superblock");
  Superblock s;
  BlockReader in(block);
  s.version = in.u32();
  // The version comes first: a later format may place its checksum elsewhere.
  if (s.version != kFormatVersion) {
    return error(Errc::unsupported, "a pnfslab volume of format version {}; this program knows version {} only",
                 s.version, kFormatVersion);
  }
  if (!BlockReader::checksum_ok(block)) return error(Errc::corrupt, "the superblock's checksum is wrong");
  in.bytes(s.uuid.data(), s.uuid.size());
  s.cluster = in.text();
  s.name = in.text();
  s.node_slots = in.u32();
  s.block_bytes = in.u32();
  s.allocation_bytes = in.u32();
  s.volume_bytes = in.u64();
  s.generation = in.u64();
  s.write_epoch = in.u64();
  s.created_seconds = in.u64();
  for (Region* r : {&s.slots, &s.marks, &s.catalog, &s.log, &s.data}) *r = read_region(in);
  if (auto ok = check_regions(s); !ok) return ok.error();
  return s;
}

std::array<std::byte, kMetaBlockBytes> encode(const OwnerRecord& o) {
  BlockWriter out(kOwnerMagic);
  out.u8(o.active ? 1 : 0);
  out.text(o.node);
  out.text(o.host);
  for (uint64_t v : {o.pid, o.instance, o.key, o.heartbeat}) out.u64(v);
  out.u32(o.lease_ms);
  out.u64(o.mounted_seconds);
  return out.finish();
}

Result<OwnerRecord> decode_owner(std::span<const std::byte> block) {
  if (!BlockReader::has_magic(block, kOwnerMagic)) return error(Errc::corrupt, "no owner record where one must be");
  if (!BlockReader::checksum_ok(block)) return error(Errc::corrupt, "the owner record's checksum is wrong");
  OwnerRecord o;
  BlockReader in(block);
  o.active = in.u8() != 0;
  o.node = in.text();
  o.host = in.text();
  for (uint64_t* v : {&o.pid, &o.instance, &o.key, &o.heartbeat}) *v = in.u64();
  o.lease_ms = in.u32();
  o.mounted_seconds = in.u64();
  return o;
}

std::array<std::byte, kMetaBlockBytes> encode(const GenerationMark& m) {
  BlockWriter out(kMarkMagic);
  out.u64(m.generation);
  out.u64(m.image_pages);
  out.bytes(m.retired_salts.data(), m.retired_salts.size());
  return out.finish();
}

Result<GenerationMark> decode_mark(std::span<const std::byte> block) {
  if (!BlockReader::has_magic(block, kMarkMagic)) return error(Errc::corrupt, "no generation block");
  if (!BlockReader::checksum_ok(block)) return error(Errc::corrupt, "the generation block's checksum is wrong");
  GenerationMark m;
  BlockReader in(block);
  m.generation = in.u64();
  m.image_pages = in.u64();
  in.bytes(m.retired_salts.data(), m.retired_salts.size());
  return m;
}

}  // namespace pnfs::volume
