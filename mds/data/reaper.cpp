#include "mds/data/reaper.hpp"

namespace pnfs::mds {

namespace {
constexpr Duration kRetryAfter = std::chrono::seconds(1);
constexpr size_t kScanBatch = 256;
}  // namespace

void Reaper::consider(FileId file) {
  // Before the end of grace nothing is freed, and enable() looks for everything anyway.
  if (!enabled_ || in_use_(file) || !queued_.insert(file).second) return;
  queue_.push_back(file);
  woken_.notify_all();
}

void Reaper::enable() {
  if (enabled_) return;
  enabled_ = true;
  scanning_ = true;
  woken_.notify_all();
}

// One batch of the catalog's orphans; false when there are no more.
bool Reaper::find_orphans() {
  auto found = names_.catalog().orphans(scanned_to_, kScanBatch);
  if (!found || found->empty()) return false;
  for (FileId file : *found) consider(file);
  scanned_to_ = found->back();
  return found->size() == kScanBatch;
}

io::Task<void> Reaper::run() {
  for (;;) {
    if (queue_.empty() && scanning_) scanning_ = find_orphans();
    if (queue_.empty()) {
      if (!scanning_) co_await woken_.wait();
      continue;
    }
    const FileId file = queue_.front();
    queue_.pop_front();
    queued_.erase(file);
    Inode inode;
    if (!names_.get(file, inode) || inode.nlink != 0 || in_use_(file)) continue;
    const nfs::Status status = co_await files_.destroy(file);
    if (status.ok()) continue;
    spdlog::debug("freeing removed file {}: {} ({})", file, status.reason, nfs::status_name(status.status));
    co_await timers_.sleep(kRetryAfter);
    consider(file);
  }
}

}  // namespace pnfs::mds
