#include "common/volume/snapshot.hpp"

#include "common/volume/catalog_impl.hpp"
#include "common/volume/catalog_loader.hpp"
#include "common/volume/extents_impl.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::volume {

namespace {

// SQLite file format: bytes 18 and 19 of the header are the write and read versions; 2 means write-ahead log, which a
// reader could open only beside a log file. The picture has none.
constexpr size_t kVersionBytes = 18;
constexpr std::byte kRollbackJournal[2] = {std::byte{1}, std::byte{1}};

constexpr int kAttempts = 10;
constexpr size_t kFirstLogRead = 64 * 1024;
constexpr size_t kLogRead = 1 << 20;

ChunkedBytes copy_of(const ChunkedBytes& bytes) {
  ChunkedBytes copy;
  copy.resize(bytes.size());
  std::vector<std::span<const std::byte>> pieces;
  bytes.gather(0, bytes.size(), pieces);
  uint64_t at = 0;
  for (const auto& piece : pieces) {
    copy.write(at, piece);
    at += piece.size();
  }
  return copy;
}

}  // namespace

Result<std::shared_ptr<Snapshot>> Snapshot::open(const Superblock& superblock, const ChunkedBytes& image,
                                                 io::Executor executor) {
  std::shared_ptr<Snapshot> snapshot(new Snapshot);
  snapshot->superblock_ = superblock;
  const CatalogLimits limits{superblock.catalog.length, superblock.log.length, superblock.node_slots};
  auto vfs = std::make_unique<MemoryVfs>();
  vfs->image = copy_of(image);
  auto impl = CatalogImpl::open(std::move(vfs), limits, executor, false);
  if (!impl) return impl.error();
  snapshot->catalog_ = std::make_unique<Catalog>(std::move(*impl));
  snapshot->mapping_ =
      std::make_unique<Extents>(std::make_unique<ExtentsImpl>(*snapshot->catalog_, snapshot->superblock_));
  return snapshot;
}

Result<std::vector<FileId>> Snapshot::fileids(FileId after, size_t limit) {
  Query query(catalog_->impl().sql("SELECT fileid FROM inodes WHERE fileid > ? ORDER BY fileid LIMIT ?"));
  query.integer(after).integer(limit);
  std::vector<FileId> found;
  for (;;) {
    auto row = query.row();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back(query.u64(0));
  }
}

uint64_t Snapshot::database_bytes() const {
  return catalog_->impl().vfs().image.size();
}

void Snapshot::read_database(uint64_t offset, std::span<std::byte> into) const {
  catalog_->impl().vfs().image.read(offset, into);
  for (size_t i = 0; i < std::size(kRollbackJournal); ++i)
    if (kVersionBytes + i >= offset && kVersionBytes + i - offset < into.size())
      into[kVersionBytes + i - offset] = kRollbackJournal[i];
}

Result<std::vector<Extent>> Snapshot::extents(FileId file, uint64_t offset, uint64_t length) {
  return mapping_->get(file, offset, length);
}

Result<SpaceReport> Snapshot::space() {
  auto all = ExtentsImpl::load(*catalog_, superblock_);
  if (!all) return all.error();
  const SpaceReport report = (*all)->space();
  catalog_->impl().set_participant(nullptr);
  return report;
}

// --- reading the LUN ---

io::Task<Result<std::shared_ptr<Snapshot>>> SnapshotReader::take() {
  const uint64_t wanted = begun_ + 1;
  while (busy_) {
    co_await free_.wait();
    if (ended_ >= wanted) co_return *result_;
  }
  struct Turn {
    SnapshotReader& reader;
    explicit Turn(SnapshotReader& r) : reader(r) { reader.busy_ = true; }
    ~Turn() {
      reader.busy_ = false;
      reader.free_.notify_all();
    }
  } turn(*this);
  const uint64_t number = ++begun_;
  auto taken = co_await take_alone();
  // What was half read is of no use to the next try.
  if (!taken) mark_.reset();
  ended_ = number;
  result_ = taken;
  co_return taken;
}

io::Task<Result<std::shared_ptr<Snapshot>>> SnapshotReader::take_alone() {
  if (!superblock_) {
    Result<Superblock> superblock = co_await probe(store_);
    if (!superblock) co_return superblock.error();
    superblock_ = *superblock;
  }
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Result<GenerationMark> mark = co_await read_mark(store_, *superblock_);
    if (!mark) co_return mark.error();
    const bool same_image = mark_ && *mark_ == *mark;
    const uint64_t end_before = same_image && cursor_ ? cursor_->end() : 0;
    if (!same_image) {
      mark_.reset();
      Result<bool> read = co_await read_image(*mark);
      if (!read) co_return read.error();
    }
    Result<void> logged = co_await read_log(*mark);
    if (!logged) co_return logged.error();
    const Result<GenerationMark> after = co_await read_mark(store_, *superblock_);
    if (!after) co_return after.error();
    // A checkpoint came in between: image and log may be of two times.
    if (*after != *mark) {
      mark_.reset();
      continue;
    }
    mark_ = *mark;
    const uint64_t end = cursor_ ? cursor_->end() : 0;
    if (same_image && end == end_before && last_) co_return last_;
    auto opened = Snapshot::open(*superblock_, image_, executor_);
    if (!opened) co_return opened.error();
    last_ = std::move(*opened);
    co_return last_;
  }
  co_return error(Errc::busy, "the catalog changed during each of {} attempts to read it", kAttempts);
}

io::Task<Result<bool>> SnapshotReader::read_image(const GenerationMark& mark) {
  const uint64_t bytes = mark.image_pages * kPageBytes;
  if (mark.image_pages == 0 || mark.image_pages > superblock_->catalog.length / kPageBytes) {
    co_return error(Errc::corrupt, "the catalog is said to have {} pages; its region holds {}", mark.image_pages,
                    superblock_->catalog.length / kPageBytes);
  }
  if (bytes > max_bytes_) {
    co_return error(Errc::too_large, "the catalog of {} MiB exceeds the memory limit of {} MiB", bytes >> 20,
                    max_bytes_ >> 20);
  }
  image_ = ChunkedBytes();
  image_.resize(bytes);
  cursor_.reset();
  ++images_read_;
  Result<void> ok = co_await read_into(store_, superblock_->catalog.offset, image_, 0, bytes);
  if (!ok) co_return ok.error();
  co_return true;
}

// The log's bytes from `offset` on (device blocks around them), into buffer_; where in it they begin.
io::Task<Result<size_t>> SnapshotReader::read_log_at(uint64_t offset, size_t bytes) {
  const uint64_t begin = offset / kMetaBlockBytes * kMetaBlockBytes;
  const uint64_t end = std::min(begin + bytes, superblock_->log.length);
  buffer_.resize(end - begin);
  const block::Piece pieces[] = {buffer_};
  Result<void> ok = co_await store_.read(superblock_->log.offset + begin, pieces);
  if (!ok) co_return ok.error();
  co_return static_cast<size_t>(offset - begin);
}

io::Task<Result<void>> SnapshotReader::read_log(const GenerationMark& mark) {
  if (!cursor_) {
    auto at = co_await read_log_at(0, kMetaBlockBytes);
    if (!at) co_return at.error();
    cursor_ = LogCursor::begin(buffer_, mark.retired_salts);
    if (!cursor_) co_return Result<void>{};
  }
  for (size_t step = kFirstLogRead;;) {
    const uint64_t from = cursor_->end();
    if (from + kFrameBytes > superblock_->log.length) co_return Result<void>{};
    auto at = co_await read_log_at(from, step);
    if (!at) co_return at.error();
    bool fits = true;
    const bool goes_on = cursor_->advance(std::span<const std::byte>(buffer_).subspan(*at), [&](uint32_t page, auto bytes) {
      fits = fits && page != 0 && uint64_t{page} * kPageBytes <= max_bytes_;
      if (fits) image_.write(uint64_t{page - 1} * kPageBytes, bytes);
    });
    if (!fits) co_return error(Errc::too_large, "the catalog's log holds a page beyond {} MiB", max_bytes_ >> 20);
    if (cursor_->pages() != 0) image_.resize(uint64_t{cursor_->pages()} * kPageBytes);
    if (!goes_on) co_return Result<void>{};
    if (cursor_->end() != from) {
      step = std::max(step, kLogRead);
    } else if (step < superblock_->log.length) {
      step = std::min<size_t>(step * 4, superblock_->log.length);  // a transaction of many pages
    } else {
      co_return Result<void>{};
    }
  }
}

}  // namespace pnfs::volume
