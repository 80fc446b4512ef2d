// The descriptor of a file that only grows: what AppendFile and the trace's writer have in common.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace pnfs::io {

// Used by one thread; given_up() may be asked by any. A file that cannot be written any more (disk full) is reported once
// in the log and given up: the server goes on without.
class AppendFd {
 public:
  // Made with `mode` when missing, its folder is not. `what` is what messages call it.
  static Result<AppendFd> open(const std::string& path, unsigned mode, std::string_view what);
  AppendFd(AppendFd&& other) noexcept
      : fd_(other.fd_.exchange(-1)), name_(std::move(other.name_)), was_empty_(other.was_empty_) {}
  AppendFd& operator=(AppendFd&&) = delete;
  ~AppendFd();

  void write(std::string_view bytes);
  bool given_up() const { return fd_.load(std::memory_order_relaxed) < 0; }
  bool was_empty() const { return was_empty_; }  // when it was opened

 private:
  AppendFd(int fd, std::string name, bool was_empty) : fd_(fd), name_(std::move(name)), was_empty_(was_empty) {}

  std::atomic<int> fd_;
  std::string name_;
  bool was_empty_;
};

}  // namespace pnfs::io
