#include "mds/data/file_gate.hpp"

namespace pnfs::mds {

FileGate::Pass& FileGate::Pass::operator=(Pass&& other) noexcept {
  if (this == &other) return *this;
  leave();
  gate_ = std::exchange(other.gate_, nullptr);
  file_ = other.file_;
  alone_ = other.alone_;
  return *this;
}

void FileGate::Pass::leave() {
  if (gate_ != nullptr) std::exchange(gate_, nullptr)->leave(file_, alone_);
}

void FileGate::leave(volume::FileId file, bool alone) {
  auto it = files_.find(file);
  if (alone) {
    it->second.alone = false;
  } else {
    --it->second.sharing;
  }
  const bool wanted = it->second.waiting != 0;
  if (it->second.idle()) files_.erase(it);
  if (wanted) changed_.notify_all();
}

io::Task<FileGate::Pass> FileGate::enter(volume::FileId file, bool alone) {
  // Counted out again however the wait ends: a cancelled one throws.
  struct Waiting {
    FileGate& gate;
    volume::FileId file;
    bool alone;
    bool counted = false;
    void count() {
      if (counted) return;
      counted = true;
      File& f = gate.files_[file];
      ++f.waiting;
      if (alone) ++f.waiting_alone;
    }
    ~Waiting() {
      if (!counted) return;
      auto it = gate.files_.find(file);
      --it->second.waiting;
      if (alone) --it->second.waiting_alone;
      if (it->second.idle()) gate.files_.erase(it);
    }
  };
  Waiting waiting{*this, file, alone};
  for (;;) {
    File& f = files_[file];
    const bool clear = alone ? !f.alone && f.sharing == 0 : !f.alone && f.waiting_alone == 0;
    if (clear) {
      if (alone) {
        f.alone = true;
      } else {
        ++f.sharing;
      }
      co_return Pass(this, file, alone);
    }
    waiting.count();
    co_await changed_.wait();
  }
}

}  // namespace pnfs::mds
