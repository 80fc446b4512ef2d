#include "common/trace/line_writer.hpp"

#include <pthread.h>
#include <signal.h>

#include "common/trace/json_line.hpp"

namespace pnfs::trace {

LineWriter::LineWriter(io::AppendFd file, std::string node) : file_(std::move(file)), node_(std::move(node)) {
  // A new thread has the mask of the one that makes it.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void LineWriter::take(Batch& batch) {
  if (batch.empty()) return;
  {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return waiting_.size() < kWaiting; });
    waiting_.push_back(std::move(batch));
    batch = Batch();
    if (!spare_.empty()) {
      batch = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  given_.notify_one();
}

void LineWriter::drain() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return waiting_.empty() && !writing_; });
}

void LineWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    given_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    lock.unlock();
    write_lines(batch);
    batch.clear();
    lock.lock();
    writing_ = false;
    if (spare_.size() < kWaiting) spare_.push_back(std::move(batch));
    done_.notify_all();
  }
}

void LineWriter::write_lines(const Batch& batch) {
  Batch::Reader events(batch);
  for (Event event; events.next(event);) {
    if (event.node.empty()) event.node = node_;
    append_json_line(lines_, event);
    if (lines_.size() < kWriteBytes) continue;
    file_.write(lines_);
    lines_.clear();
  }
  file_.write(lines_);
  lines_.clear();
}

}  // namespace pnfs::trace
