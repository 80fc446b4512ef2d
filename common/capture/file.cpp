#include "common/capture/file.hpp"

namespace pnfs::capture {

Result<std::unique_ptr<File>> File::open(const std::string& path, std::string_view node, io::TimerQueue& timers) {
  auto file = io::AppendFile::open(path, 0600, "capture", kFlushBytes, timers);
  if (!file) return file.error();
  if ((*file)->was_empty()) {
    append_section((*file)->buffer());
    append_interface((*file)->buffer(), node);
    (*file)->flush();
  }
  return std::unique_ptr<File>(new File(std::move(*file)));
}

void File::packet(Direction direction, std::span<const Bytes> frame, std::string_view comment) {
  if (file_->given_up()) return;
  append_packet(file_->buffer(), 0, clock().wall(), direction, frame, comment);
  file_->added();
}

}  // namespace pnfs::capture
