#include "common/volume/fsck.hpp"

#include <nlohmann/json.hpp>

#include "common/volume/catalog_loader.hpp"
#include "common/volume/fsck_checks.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::volume {

std::string_view to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::superblock:
      return "superblock";
    case FindingKind::catalog:
      return "catalog";
    case FindingKind::leak:
      return "leak";
    case FindingKind::doubly_used:
      return "doubly used";
    case FindingKind::out_of_range:
      return "out of range";
    case FindingKind::link_count:
      return "link count";
    case FindingKind::entry:
      return "entry";
    case FindingKind::orphan:
      return "orphan";
    case FindingKind::attribute:
      return "attribute";
  }
  return "unknown";
}

size_t FsckReport::errors() const {
  return static_cast<size_t>(std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.error; }));
}

namespace {

io::Task<Result<void>> check_superblocks(block::BlockStore& store, FsckReport& report) {
  std::vector<std::byte> block(kMetaBlockBytes);
  for (size_t i = 0; i < std::size(kSuperblockOffsets); ++i) {
    const block::Piece pieces[] = {block};
    if (auto ok = co_await store.read(kSuperblockOffsets[i], pieces); !ok) co_return ok.error();
    const Result<Superblock> copy = decode_superblock(block);
    if (!copy) {
      find(report, FindingKind::superblock, true, "copy {}: {}", i + 1, copy.error().reason);
      continue;
    }
    // The copies are written one after the other: epoch and generation may differ by one step, nothing else.
    Superblock aligned = *copy;
    aligned.generation = report.superblock.generation;
    aligned.write_epoch = report.superblock.write_epoch;
    if (aligned != report.superblock)
      find(report, FindingKind::superblock, true, "copy {} describes another volume", i + 1);
  }
  co_return Result<void>();
}

}  // namespace

io::Task<Result<FsckReport>> fsck(block::BlockStore& store) {
  FsckReport report;
  const Result<Superblock> superblock = co_await probe(store);
  if (!superblock) {
    if (superblock.error().code == Errc::io || superblock.error().code == Errc::closed ||
        superblock.error().code == Errc::timeout) {
      co_return superblock.error();
    }
    find(report, FindingKind::superblock, true, "{}", superblock.error().reason);
    co_return report;
  }
  report.is_volume = true;
  report.superblock = *superblock;
  if (auto ok = co_await check_superblocks(store, report); !ok) co_return ok.error();
  const Result<OwnerRecord> owner = co_await read_owner(store, *superblock);
  if (owner) {
    report.owner = *owner;
  } else {
    find(report, FindingKind::superblock, true, "owner record: {}", owner.error().reason);
  }
  Result<LoadedCatalog> loaded = co_await load_catalog(store, *superblock, superblock->catalog.length);
  if (!loaded) {
    if (loaded.error().code != Errc::corrupt) co_return loaded.error();
    find(report, FindingKind::catalog, true, "{}", loaded.error().reason);
    co_return report;
  }
  report.log_bytes_replayed = loaded->vfs->log.size();
  const CatalogLimits limits{superblock->catalog.length, superblock->log.length, superblock->node_slots};
  const io::Executor executor = co_await io::asio::this_coro::executor;
  auto catalog = CatalogImpl::open(std::move(loaded->vfs), limits, executor, false);
  if (!catalog) {
    find(report, FindingKind::catalog, true, "{}", catalog.error().reason);
    co_return report;
  }
  check_integrity(**catalog, report);
  check_space(**catalog, report);
  check_tree(**catalog, report);
  check_counters(**catalog, report);
  co_return report;
}

std::string to_text(const FsckReport& r) {
  std::string text;
  if (r.is_volume) {
    const Superblock& s = r.superblock;
    text += fmt::format("volume {}:{}  {}\n", s.cluster, s.name, to_string(s.uuid));
    text += fmt::format("  format {}, {} node slots, {} MiB of {} MiB for data\n", s.version, s.node_slots,
                        s.data.length >> 20, s.volume_bytes >> 20);
    text += r.owner.active
                ? fmt::format("  in use by MDS '{}' (pid {}), or not closed cleanly\n", r.owner.node, r.owner.pid)
                : std::string("  not in use\n");
    text += fmt::format("  {} inodes ({} directories), {} entries, {} extents\n", r.inodes, r.directories, r.entries,
                        r.extents);
    text += fmt::format("  mapped {} KiB, zeroed {} KiB, quarantined {} KiB; {} bytes of log replayed\n",
                        r.mapped_bytes >> 10, r.zeroed_bytes >> 10, r.quarantined_bytes >> 10, r.log_bytes_replayed);
  }
  for (const Finding& f : r.findings)
    text += fmt::format("{}: {}: {}\n", f.error ? "ERROR" : "note", to_string(f.kind), f.text);
  text += r.clean() ? "clean\n" : fmt::format("{} errors\n", r.errors());
  return text;
}

std::string to_json(const FsckReport& r) {
  // Names are bytes: what is not UTF-8 is replaced.
  nlohmann::json json;
  json["clean"] = r.clean();
  json["errors"] = r.errors();
  json["is_volume"] = r.is_volume;
  if (r.is_volume) {
    const Superblock& s = r.superblock;
    json["volume"] = {{"uuid", to_string(s.uuid)},   {"cluster", s.cluster},         {"name", s.name},
                      {"version", s.version},        {"node_slots", s.node_slots},   {"bytes", s.volume_bytes},
                      {"data_bytes", s.data.length}, {"write_epoch", s.write_epoch}, {"generation", s.generation}};
    json["owner"] = {{"active", r.owner.active}, {"node", r.owner.node}, {"pid", r.owner.pid}};
    json["counts"] = {{"inodes", r.inodes},
                      {"directories", r.directories},
                      {"entries", r.entries},
                      {"extents", r.extents},
                      {"mapped_bytes", r.mapped_bytes},
                      {"zeroed_bytes", r.zeroed_bytes},
                      {"quarantined_bytes", r.quarantined_bytes},
                      {"log_bytes_replayed", r.log_bytes_replayed}};
  }
  json["findings"] = nlohmann::json::array();
  for (const Finding& f : r.findings) {
    json["findings"].push_back({{"kind", to_string(f.kind)}, {"error", f.error}, {"text", f.text}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace pnfs::volume
