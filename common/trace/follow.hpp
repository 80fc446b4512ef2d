// Reads a trace file that is still being written.
#pragma once

#include <functional>
#include <string>

#include "common/base/result.hpp"
#include "common/trace/event.hpp"

namespace pnfs::trace {

// Each poll() hands over the whole lines that were added since the last one. A file that does not exist yet is empty;
// one that became shorter (a new run) is read from its beginning. The caller decides when to poll.
class Follower {
 public:
  explicit Follower(std::string path) : path_(std::move(path)) {}
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Lines that are not events are counted, not an error: a crash may have cut one. Errors: the file cannot be read.
  Result<size_t> poll(const std::function<void(const OwnedEvent&)>& take);
  size_t bad_lines() const { return bad_lines_; }

 private:
  static constexpr size_t kMaxLine = 1u << 20;

  std::string path_;
  int fd_ = -1;
  uint64_t offset_ = 0;
  std::string partial_;
  size_t bad_lines_ = 0;
};

}  // namespace pnfs::trace
