// The trace as a file of JSON lines.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/io/append_file.hpp"
#include "common/trace/sink.hpp"

namespace pnfs::trace {

// Appends to a file (io::AppendFile says when what is added gets there). Each flush ends with a whole line.
class FileSink final : public Sink {
 public:
  static constexpr size_t kFlushBytes = 64 * 1024;

  // The file is made, with its folder's permissions as they are, when missing. `timers` must outlive the sink.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path, std::string node, io::TimerQueue& timers);

  void flush() override { file_->flush(); }

 private:
  FileSink(std::unique_ptr<io::AppendFile> file, std::string node) : file_(std::move(file)), node_(std::move(node)) {}
  void write(const Event& event) override;

  std::unique_ptr<io::AppendFile> file_;
  std::string node_;
};

}  // namespace pnfs::trace
