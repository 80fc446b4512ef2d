#include "common/volume/catalog_writer.hpp"

namespace pnfs::volume {

namespace {
constexpr Duration kWriterRetryPause = std::chrono::milliseconds(100);
// Clean pages between dirty ones that are rewritten (with the same bytes) rather than split a write.
constexpr uint64_t kJoinPages = 8;
constexpr uint64_t kMaxWriteBytes = 1 << 20;
}  // namespace

CatalogWriter::CatalogWriter(block::BlockStore& store, const Superblock& superblock, CatalogImpl& impl,
                             io::TimerQueue& timers, GenerationMark mark, Duration ship_timeout, Reassert reassert)
    : store_(store),
      superblock_(superblock),
      impl_(impl),
      timers_(timers),
      mark_(mark),
      ship_timeout_(ship_timeout),
      reassert_(std::move(reassert)) {}

io::Task<void> CatalogWriter::run() {
  for (;;) {
    while (!impl_.needs_shipping() && !finishing_ && !impl_.failure()) co_await impl_.changed().wait();
    if (impl_.failure()) co_return;
    Result<void> ok = Result<void>();
    if (finishing_ || impl_.vfs().log.size() > superblock_.log.length / 2) {
      ok = co_await checkpoint();
    } else {
      const Result<Ticket> ticket = impl_.seal();
      if (!ticket) co_return;
      ok = co_await ship_log(impl_.vfs().log);
      if (ok) impl_.set_durable(*ticket);
    }
    if (!ok) {
      impl_.fail(ok.error().with_context("the catalog cannot be written"));
      co_return;
    }
    if (finishing_ && !impl_.needs_shipping()) co_return;
  }
}

io::Task<Result<void>> CatalogWriter::settle_recovered() {
  if (impl_.vfs().log.size() > 0 || mark_.generation % 2 != 0) co_return co_await checkpoint();
  co_return co_await persist(Step::mark);
}

io::Task<Result<void>> CatalogWriter::ship_log(const ChunkedBytes& log) {
  const uint64_t end = log.size();
  if (end == shipped_) co_return Result<void>();
  if (end > superblock_.log.length) {
    co_return error(Errc::no_space, "one transaction of {} bytes does not fit the catalog's log of {}", end,
                    superblock_.log.length);
  }
  shipping_ = &log;
  ship_begin_ = shipped_ / kMetaBlockBytes * kMetaBlockBytes;
  ship_end_ = (end + kMetaBlockBytes - 1) / kMetaBlockBytes * kMetaBlockBytes;
  Result<void> ok = co_await persist(Step::log);
  shipping_ = nullptr;
  if (ok) shipped_ = end;
  co_return ok;
}

io::Task<Result<void>> CatalogWriter::checkpoint() {
  const Result<Ticket> ticket = impl_.seal();
  if (!ticket) co_return ticket.error();
  if (impl_.vfs().log.size() == 0 && mark_.generation % 2 == 0) co_return Result<void>();
  const std::array<std::byte, 8> salts = impl_.log_salts();
  if (auto ok = impl_.checkpoint(); !ok) co_return ok.error();
  collect_dirty();
  const uint64_t pages = (impl_.vfs().image.size() + kPageBytes - 1) / kPageBytes;

  Result<void> ok = co_await ship_log(impl_.vfs().retired_log);
  if (!ok) co_return ok.error();
  impl_.set_durable(*ticket);
  if (mark_.generation % 2 == 0) {
    ++mark_.generation;
    if (ok = co_await persist(Step::mark); !ok) co_return ok.error();
  }
  if (ok = co_await persist(Step::image); !ok) co_return ok.error();
  mark_ = {mark_.generation + 1, pages, salts};
  if (ok = co_await persist(Step::mark); !ok) co_return ok.error();
  shipped_ = 0;
  impl_.vfs().retired_log = ChunkedBytes();
  co_return Result<void>();
}

void CatalogWriter::collect_dirty() {
  dirty_.clear();
  std::vector<bool>& pages = impl_.vfs().dirty_pages;
  const uint64_t image_pages = (impl_.vfs().image.size() + kPageBytes - 1) / kPageBytes;
  for (uint64_t page = 0; page < std::min<uint64_t>(pages.size(), image_pages); ++page) {
    if (!pages[page]) continue;
    const uint64_t offset = page * kPageBytes;
    if (!dirty_.empty() && offset - (dirty_.back().offset + dirty_.back().length) <= kJoinPages * kPageBytes &&
        offset + kPageBytes - dirty_.back().offset <= kMaxWriteBytes) {
      dirty_.back().length = offset + kPageBytes - dirty_.back().offset;
    } else {
      dirty_.push_back({offset, kPageBytes});
    }
  }
  pages.clear();
}

// A step counts only when the device kept its cache from the step's first write to its flush: the epoch says so.
io::Task<Result<void>> CatalogWriter::persist(Step step) {
  const TimePoint deadline = timers_.now() + ship_timeout_;
  for (;;) {
    const uint64_t epoch = store_.epoch();
    Result<void> ok = co_await attempt(step);
    if (ok && store_.epoch() == epoch) co_return ok;
    if (!ok) {
      if (ok.error().code == Errc::fenced) {
        Result<void> again = co_await reassert_();
        if (!again) co_return again.error();
      }
      if (timers_.now() >= deadline) co_return ok.error();
      spdlog::warn("volume {}: {}; trying again", superblock_.name, ok.error().reason);
      co_await timers_.sleep(kWriterRetryPause);
    }
  }
}

io::Task<Result<void>> CatalogWriter::attempt(Step step) {
  switch (step) {
    case Step::log:
      return write_log();
    case Step::mark:
      return write_mark();
    case Step::image:
      return write_image();
  }
  std::abort();
}

io::Task<Result<void>> CatalogWriter::write_log() {
  pieces_.clear();
  shipping_->gather(ship_begin_, ship_end_ - ship_begin_, pieces_);
  const bool fua = store_.geometry().fua;
  Result<void> ok =
      co_await store_.write(superblock_.log.offset + ship_begin_, pieces_, fua ? block::Fua::yes : block::Fua::no);
  if (!ok || fua) co_return ok;
  co_return co_await store_.flush();
}

io::Task<Result<void>> CatalogWriter::write_mark() {
  const auto block = encode(mark_);
  // Odd and even marks take turns with the two blocks: a torn one leaves its predecessor.
  const uint64_t at = superblock_.marks.offset + (mark_.generation % 2) * kMetaBlockBytes;
  const block::ConstPiece pieces[] = {block};
  if (auto ok = co_await store_.write(at, pieces); !ok) co_return ok.error();
  co_return co_await store_.flush();
}

io::Task<Result<void>> CatalogWriter::write_image() {
  for (size_t i = 0; i < dirty_.size(); ++i) {
    pieces_.clear();
    impl_.vfs().image.gather(dirty_[i].offset, dirty_[i].length, pieces_);
    if (auto ok = co_await store_.write(superblock_.catalog.offset + dirty_[i].offset, pieces_); !ok) {
      co_return ok.error();
    }
  }
  co_return co_await store_.flush();
}

}  // namespace pnfs::volume
