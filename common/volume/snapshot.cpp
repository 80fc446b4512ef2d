#include "common/volume/snapshot.hpp"

#include "common/volume/catalog_impl.hpp"
#include "common/volume/catalog_loader.hpp"
#include "common/volume/extents_impl.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::volume {

namespace {
// SQLite file format: bytes 18 and 19 of the header are the write and read versions; 2 means write-ahead log, which a
// reader could open only beside a log file. The copy has none.
constexpr size_t kVersionBytes[2] = {18, 19};
constexpr std::byte kRollbackJournal{1};
}  // namespace

io::Task<Result<std::unique_ptr<Snapshot>>> Snapshot::take(block::BlockStore& store, io::Executor executor,
                                                           uint64_t max_bytes) {
  Result<Superblock> superblock = co_await probe(store);
  if (!superblock) co_return superblock.error();
  Result<OwnerRecord> owner = co_await read_owner(store, *superblock);
  if (!owner) co_return owner.error();
  Result<LoadedCatalog> loaded = co_await load_catalog(store, *superblock, max_bytes);
  if (!loaded) co_return loaded.error().with_context("reading the catalog");
  const CatalogLimits limits{superblock->catalog.length, superblock->log.length, superblock->node_slots};
  auto impl = CatalogImpl::open(std::move(loaded->vfs), limits, executor, false);
  if (!impl) co_return impl.error();
  std::unique_ptr<Snapshot> snapshot(new Snapshot);
  snapshot->superblock_ = *superblock;
  snapshot->owner_ = *owner;
  snapshot->catalog_ = std::make_unique<Catalog>(std::move(*impl));
  auto extents = ExtentsImpl::load(*snapshot->catalog_, snapshot->superblock_);
  if (!extents) co_return extents.error();
  snapshot->extents_ = std::make_unique<Extents>(std::move(*extents));
  co_return snapshot;
}

Result<std::vector<std::byte>> Snapshot::database() {
  CatalogImpl& impl = catalog_->impl();
  if (auto sealed = impl.seal(); !sealed) return sealed.error();
  if (auto done = impl.checkpoint(); !done) return done.error();
  std::vector<std::byte> bytes(impl.vfs().image.size());
  impl.vfs().image.read(0, bytes);
  for (const size_t at : kVersionBytes)
    if (at < bytes.size()) bytes[at] = kRollbackJournal;
  return bytes;
}

}  // namespace pnfs::volume
