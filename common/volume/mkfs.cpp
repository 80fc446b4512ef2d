#include <algorithm>

#include "common/volume/catalog_impl.hpp"
#include "common/volume/catalog_schema.hpp"
#include "common/volume/extents_impl.hpp"
#include "common/volume/rounding.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::volume {

namespace {

Result<void> check_options(const MkfsOptions& o) {
  if (o.node_slots == 0 || o.node_slots > kMaxNodeSlots) {
    return error(Errc::invalid, "-j {}: a volume has 1 to {} node slots", o.node_slots, kMaxNodeSlots);
  }
  for (const std::string* label : {&o.cluster, &o.name}) {
    if (label->empty() || label->size() > kMaxLabelBytes) {
      return error(Errc::invalid, "'{}': cluster and name have 1 to {} characters each", *label, kMaxLabelBytes);
    }
  }
  if (o.allocation_bytes < kExtentAlign || !std::has_single_bit(o.allocation_bytes)) {
    return error(Errc::invalid, "allocation of {} bytes: it must be a power of two of at least {}", o.allocation_bytes,
                 kExtentAlign);
  }
  if (o.catalog_bytes != 0 && o.catalog_bytes < kMinCatalogBytes) {
    return error(Errc::invalid, "a catalog of {} bytes is too small (at least {})", o.catalog_bytes, kMinCatalogBytes);
  }
  if (o.log_bytes != 0 && o.log_bytes < kMinLogBytes) {
    return error(Errc::invalid, "a log of {} bytes is too small (at least {})", o.log_bytes, kMinLogBytes);
  }
  return {};
}

Result<Superblock> lay_out(const MkfsOptions& o, const block::Geometry& geometry, std::string_view where) {
  Superblock s;
  s.cluster = o.cluster;
  s.name = o.name;
  s.node_slots = o.node_slots;
  s.block_bytes = geometry.block_bytes;
  s.allocation_bytes = o.allocation_bytes;
  s.volume_bytes = geometry.bytes() / kMetaBlockBytes * kMetaBlockBytes;
  s.generation = 1;
  s.write_epoch = 1;
  if (s.volume_bytes < kMinVolumeBytes) {
    return error(Errc::no_space, "{} has {} bytes; a volume needs at least {}", where, geometry.bytes(),
                 kMinVolumeBytes);
  }
  const uint64_t catalog =
      o.catalog_bytes != 0 ? o.catalog_bytes : std::clamp<uint64_t>(s.volume_bytes / 32, kMinCatalogBytes, 1ull << 30);
  const uint64_t log =
      o.log_bytes != 0 ? o.log_bytes : std::clamp<uint64_t>(s.volume_bytes / 64, kMinLogBytes, 64ull << 20);
  s.slots = {kSlotTableOffset, (o.node_slots + 2ull) * kMetaBlockBytes};
  s.marks = {s.slots.end(), 2 * kMetaBlockBytes};
  s.catalog = {round_up(s.marks.end(), kRegionAlign), round_up(catalog, kRegionAlign)};
  s.log = {s.catalog.end(), round_up(log, kRegionAlign)};
  if (s.log.end() >= s.volume_bytes || s.volume_bytes - s.log.end() < kRegionAlign) {
    return error(Errc::no_space, "{} has {} MiB; a catalog of {} MiB and a log of {} MiB leave no room for data", where,
                 s.volume_bytes >> 20, s.catalog.length >> 20, s.log.length >> 20);
  }
  s.data = {s.log.end(), s.volume_bytes - s.log.end()};
  return s;
}

// What stands there already may only be overwritten on request.
io::Task<Result<void>> check_content(block::BlockStore& store, bool force) {
  std::vector<std::byte> head(std::min<uint64_t>(store.geometry().bytes() / kMetaBlockBytes * kMetaBlockBytes,
                                                 round_up(kProbeBytes, kMetaBlockBytes)));
  const block::Piece pieces[] = {head};
  if (auto ok = co_await store.read(0, pieces); !ok) co_return ok.error();
  if (force) co_return Result<void>();
  const Result<Superblock> old = co_await probe(store);
  if (old) {
    const Result<OwnerRecord> owner = co_await read_owner(store, *old);
    if (owner && owner->active) {
      co_return error(Errc::busy, "{}: volume {}:{} is in use by MDS '{}' (pid {}); stop it first, or use --force",
                      store.name(), old->cluster, old->name, owner->node, owner->pid);
    }
    co_return error(Errc::exists, "{} holds the pnfslab volume {}:{} already; use --force to overwrite it",
                    store.name(), old->cluster, old->name);
  }
  const std::string what = describe_content(head);
  if (what == "all zeros" || what == "data of an unknown kind") co_return Result<void>();
  co_return error(Errc::exists, "{} holds {}; use --force to overwrite it", store.name(), what);
}

// The first catalog: the root directory, all data space (dirty or zeroed).
Result<std::unique_ptr<CatalogImpl>> first_catalog(const Superblock& s, io::Executor executor, Random& random,
                                                   const Clock& clock, bool data_is_zero) {
  auto impl =
      CatalogImpl::open(std::make_unique<MemoryVfs>(), {s.catalog.length, s.log.length, s.node_slots}, executor, true);
  if (!impl) return impl.error();
  Catalog catalog(std::move(*impl));
  auto fill = [&]() -> Result<void> {
    Inode root;
    root.fileid = kRootFileId;
    root.generation = random.next() >> 1;
    root.type = FileType::directory;
    root.mode = 0755;
    root.nlink = 2;
    root.atime = root.mtime = root.ctime = root.btime = clock.wall();
    root.change = 1;
    root.parent = kRootFileId;
    if (auto ok = catalog.put(root); !ok) return ok.error();
    if (auto ok = catalog.set_setting(kSettingNextFileId, std::to_string(kRootFileId + 1)); !ok) return ok.error();
    if (auto ok = catalog.set_setting(kSettingBootInstance, "0"); !ok) return ok.error();
    if (!data_is_zero) return {};
    Query query(catalog.impl().sql("INSERT INTO zeroed VALUES(?, ?)"));
    return query.integer(s.data.offset).integer(s.data.length).done();
  };
  if (auto ok = fill(); !ok) return ok.error();
  if (auto ok = catalog.impl().seal(); !ok) return ok.error();
  if (auto ok = catalog.impl().checkpoint(); !ok) return ok.error();
  return catalog.take_impl();
}

io::Task<Result<void>> write_at(block::BlockStore& store, uint64_t offset, std::span<const std::byte> bytes) {
  const block::ConstPiece pieces[] = {bytes};
  co_return co_await store.write(offset, pieces);
}

}  // namespace

Result<void> parse_table_name(std::string_view text, MkfsOptions& options) {
  const size_t colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size() || text.find(':', colon + 1) != text.npos ||
      colon > kMaxLabelBytes || text.size() - colon - 1 > kMaxLabelBytes) {
    return error(Errc::invalid, "-t '{}': expected cluster:name, each of 1 to {} characters", text, kMaxLabelBytes);
  }
  options.cluster = text.substr(0, colon);
  options.name = text.substr(colon + 1);
  return {};
}

io::Task<Result<Superblock>> mkfs(block::BlockStore& store, MkfsOptions options, Random& random, const Clock& clock) {
  if (auto ok = check_options(options); !ok) co_return ok.error();
  if (store.geometry().read_only) co_return error(Errc::invalid, "{} is read-only", store.name());
  if (store.geometry().block_bytes > kMetaBlockBytes) {
    co_return error(Errc::unsupported, "{} has blocks of {} bytes; at most {} are supported", store.name(),
                    store.geometry().block_bytes, kMetaBlockBytes);
  }
  Result<Superblock> laid_out = lay_out(options, store.geometry(), store.name());
  if (!laid_out) co_return laid_out.error();
  Superblock s = *laid_out;
  random.fill(s.uuid);
  s.created_seconds = static_cast<uint64_t>(clock.wall().seconds);
  if (auto ok = co_await check_content(store, options.force); !ok) co_return ok.error();

  // Nothing may look like a volume until everything is in place: old superblocks go first, new ones come last.
  const std::vector<std::byte> zeros(s.catalog.offset);
  if (auto ok = co_await write_at(store, 0, zeros); !ok) co_return ok.error();
  if (auto ok = co_await store.flush(); !ok) co_return ok.error();

  const bool data_is_zero = options.zero_data && store.geometry().unmap_zeroes;
  if (data_is_zero) {
    if (auto ok = co_await store.zero(s.data.offset, s.data.length); !ok) co_return ok.error();
  }
  const io::Executor executor = co_await io::asio::this_coro::executor;
  auto catalog = first_catalog(s, executor, random, clock, data_is_zero);
  if (!catalog) co_return catalog.error();
  MemoryVfs& vfs = (*catalog)->vfs();
  std::vector<block::ConstPiece> pieces;
  vfs.image.gather(0, round_up(vfs.image.size(), kPageBytes), pieces);
  if (auto ok = co_await store.write(s.catalog.offset, pieces); !ok) co_return ok.error();
  if (auto ok = co_await write_at(store, s.log.offset, std::span(zeros).first(64 * 1024)); !ok) co_return ok.error();
  const auto owner = encode(OwnerRecord{});
  if (auto ok = co_await write_at(store, s.slots.offset, owner); !ok) co_return ok.error();
  const auto mark = encode(GenerationMark{2, vfs.image.size() / kPageBytes, {}});
  if (auto ok = co_await write_at(store, s.marks.offset, mark); !ok) co_return ok.error();
  if (auto ok = co_await store.flush(); !ok) co_return ok.error();

  const auto block = encode(s);
  for (uint64_t offset : kSuperblockOffsets) {
    if (auto ok = co_await write_at(store, offset, block); !ok) co_return ok.error();
  }
  if (auto ok = co_await store.flush(); !ok) co_return ok.error();
  co_return s;
}

}  // namespace pnfs::volume
