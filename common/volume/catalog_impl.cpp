#include "common/volume/catalog_impl.hpp"

#include <cassert>

#include "common/volume/catalog_schema.hpp"

namespace pnfs::volume {

namespace {

// What one operation may add to the log before it is sealed, in the accounting that keeps the log from overflowing.
constexpr uint64_t kPagesPerOperation = 16;
constexpr size_t kInodeCacheEntries = 65536;

Result<int64_t> single_number(Database& db, std::string_view sql) {
  auto statement = db.prepare(sql);
  if (!statement) return statement.error();
  Query query(*statement);
  auto row = query.row();
  if (!row) return row.error();
  if (!*row) return error(Errc::corrupt, "the catalog does not answer '{}'", sql);
  return query.i64(0);
}

}  // namespace

Result<std::unique_ptr<CatalogImpl>> CatalogImpl::open(std::unique_ptr<MemoryVfs> vfs, CatalogLimits limits,
                                                       io::Executor executor, bool create) {
  auto opened = Database::open("catalog", vfs->name());
  if (!opened) return opened.error();
  Database db = std::move(*opened);
  // EXCLUSIVE must come before the first use of the log: without it SQLite would want shared memory.
  const std::string pragmas = fmt::format(
      "PRAGMA page_size={}; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
      "PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA cache_spill=OFF; "
      "PRAGMA max_page_count={};",
      kPageBytes, limits.catalog_bytes / kPageBytes);
  if (auto ok = db.run(pragmas.c_str()); !ok) return ok.error();
  if (create) {
    if (auto ok = db.run(kSchema); !ok) return ok.error();
    if (auto ok = db.run(fmt::format("PRAGMA user_version={}", kSchemaVersion).c_str()); !ok) return ok.error();
  }
  auto version = single_number(db, "PRAGMA user_version");
  if (!version) return version.error();
  if (*version != kSchemaVersion) {
    return error(Errc::unsupported, "the catalog has schema version {}; this program knows version {} only", *version,
                 kSchemaVersion);
  }
  auto impl = std::make_unique<CatalogImpl>(std::move(vfs), std::move(db), limits, executor);
  return impl;
}

CatalogImpl::CatalogImpl(std::unique_ptr<MemoryVfs> vfs, Database db, CatalogLimits limits, io::Executor executor)
    : vfs_(std::move(vfs)), db_(std::move(db)), limits_(limits), changed_(executor), shipped_(executor) {
  seal_every_ = static_cast<uint32_t>(std::clamp<uint64_t>(limits.log_bytes / kFrameBytes / 64, 1, 64));
}

CatalogImpl::~CatalogImpl() {
  statements_.clear();  // before the connection they belong to
  db_.close();
}

Statement& CatalogImpl::sql(const char* literal) {
  auto it = statements_.find(literal);
  if (it == statements_.end()) {
    auto prepared = db_.prepare(literal);
    if (!prepared) {
      spdlog::error("volume: {}", prepared.error().reason);
      static Statement nothing;
      return nothing;
    }
    it = statements_.emplace(literal, std::move(*prepared)).first;
  }
  return it->second;
}

bool CatalogImpl::log_is_full() const {
  const uint64_t pending = (operations_since_seal_ + 1) * kPagesPerOperation * kFrameBytes;
  return vfs_->log.size() + pending > limits_.log_bytes;
}

Result<void> CatalogImpl::ensure_transaction() {
  if (in_transaction_) return {};
  if (auto ok = Query(sql("BEGIN IMMEDIATE")).done(); !ok) return ok.error();
  in_transaction_ = true;
  return {};
}

Result<uint32_t> CatalogImpl::begin() {
  if (failure_) return *failure_;
  if (depth_ == 0) {
    if (operations_since_seal_ >= seal_every_) {
      if (auto sealed = seal(); !sealed) return sealed.error();
    }
    if (log_is_full()) return error(Errc::busy, "the catalog's log is full; a checkpoint is under way");
    if (auto ok = ensure_transaction(); !ok) return ok.error();
  }
  if (auto ok = Query(sql("SAVEPOINT operation")).done(); !ok) return ok.error();
  open_.push_back({sqlite3_total_changes64(db_.handle()), participant_ != nullptr ? participant_->mark() : 0,
                   next_fileid, reserved_fileids});
  return ++depth_;
}

void CatalogImpl::roll_back([[maybe_unused]] uint32_t depth) {
  assert(depth == depth_ && "savepoints end in the reverse order of their begin");
  const Open open = open_.back();
  open_.pop_back();
  --depth_;
  for (const char* step : {"ROLLBACK TO operation", "RELEASE operation"}) {
    // Both work on memory alone; a failure here means the connection is unusable.
    if (auto ok = db_.run(step); !ok) fail(ok.error().with_context("rolling back"));
  }
  if (participant_ != nullptr) participant_->undo_to(open.mark);
  inode_cache_.clear();
  next_fileid = open.next_fileid;
  reserved_fileids = open.reserved_fileids;
}

Result<Ticket> CatalogImpl::release(uint32_t depth) {
  assert(depth == depth_ && "savepoints end in the reverse order of their begin");
  if (failure_) {
    roll_back(depth);
    return *failure_;
  }
  if (auto ok = Query(sql("RELEASE operation")).done(); !ok) {
    roll_back(depth);
    return ok.error();
  }
  const Open open = open_.back();
  open_.pop_back();
  --depth_;
  if (depth_ > 0) return ticket_;
  if (participant_ != nullptr) participant_->forget();
  if (sqlite3_total_changes64(db_.handle()) != open.changes) {
    ++ticket_;
    ++operations_since_seal_;
    changed_.notify_all();
  }
  return ticket_;
}

Result<Ticket> CatalogImpl::seal() {
  assert(depth_ == 0 && "a savepoint was left open across a suspension");
  if (in_transaction_) {
    if (auto ok = Query(sql("COMMIT")).done(); !ok) {
      fail(ok.error().with_context("committing to the catalog's log"));
      return *failure_;
    }
    in_transaction_ = false;
  }
  operations_since_seal_ = 0;
  return ticket_;
}

Result<void> CatalogImpl::checkpoint() {
  assert(!in_transaction_ && depth_ == 0);
  vfs_->retired_log = ChunkedBytes();
  const int code = sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(db_.handle(), code, "checkpointing the catalog");
  return {};
}

std::array<std::byte, 8> CatalogImpl::log_salts() const {
  std::array<std::byte, 8> salts{};
  if (vfs_->log.size() >= 32) vfs_->log.read(16, salts);
  return salts;
}

void CatalogImpl::set_durable(Ticket ticket) {
  durable_ = std::max(durable_, ticket);
  shipped_.notify_all();
}

void CatalogImpl::fail(Error failure) {
  if (!failure_) failure_ = std::move(failure);
  shipped_.notify_all();
  changed_.notify_all();
}

void CatalogImpl::remember(const Inode& inode) {
  if (inode_cache_.size() >= kInodeCacheEntries) inode_cache_.clear();
  inode_cache_.insert_or_assign(inode.fileid, inode);
}

}  // namespace pnfs::volume
