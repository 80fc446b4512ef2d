// A packet capture as a pcapng file with one interface, the node's.
#pragma once

#include <memory>
#include <string>

#include "common/capture/pcapng.hpp"
#include "common/io/append_file.hpp"

namespace pnfs::capture {

// Appends to a file (io::AppendFile says when what is added gets there); one that is not empty is gone on with: a node
// that a fault rule restarted.
class File {
 public:
  static constexpr size_t kFlushBytes = 512 * 1024;

  // Readable by its owner only: it holds the data of files. `timers` must outlive it.
  static Result<std::unique_ptr<File>> open(const std::string& path, std::string_view node, io::TimerQueue& timers);

  void packet(Direction direction, std::span<const Bytes> frame, std::string_view comment);
  void flush() { file_->flush(); }
  const Clock& clock() const { return file_->clock(); }

 private:
  explicit File(std::unique_ptr<io::AppendFile> file) : file_(std::move(file)) {}

  std::unique_ptr<io::AppendFile> file_;
};

}  // namespace pnfs::capture
