#include "common/trace/file_sink.hpp"

#include "common/trace/json_line.hpp"

namespace pnfs::trace {

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path, std::string node, io::TimerQueue& timers) {
  auto file = io::AppendFile::open(path, 0644, "trace file", kFlushBytes, timers);
  if (!file) return file.error();
  return std::unique_ptr<FileSink>(new FileSink(std::move(*file), std::move(node)));
}

void FileSink::write(const Event& event) {
  Event complete = event;
  if (complete.node.empty()) complete.node = node_;
  if (complete.ts == WallTime{}) complete.ts = file_->clock().wall();
  append_json_line(file_->buffer(), complete);
  file_->added();
  if (file_->given_up()) set_enabled(false);
}

}  // namespace pnfs::trace
