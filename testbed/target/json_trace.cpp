#include "testbed/target/json_trace.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "testbed/target/pdu.hpp"

namespace pnfs::target {

namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

class FileTrace final : public JsonTrace {
 public:
  FileTrace(int fd, const Clock& clock) : fd_(fd), clock_(clock) {}
  ~FileTrace() override {
    flush();
    ::close(fd_);
  }

  void on_command(const CommandRecord& r) override {
    begin("scsi", r.target, r.initiator);
    if (r.lun != kNoLun) fmt::format_to(std::back_inserter(lines_), ",\"lun\":{}", r.lun);
    lines_ += ",\"op\":";
    append_quoted(lines_, r.name.empty() ? fmt::format("opcode 0x{:02x}", r.command.opcode()) : std::string(r.name));
    fmt::format_to(std::back_inserter(lines_), ",\"lba\":{},\"blocks\":{},\"bytes\":{},\"status\":\"{}\"",
                   r.command.lba, r.command.blocks, r.bytes, scsi::to_string(r.command.status));
    if (r.command.status == scsi::Status::check_condition) {
      fmt::format_to(std::back_inserter(lines_), ",\"sense\":\"{:x}/{:04x}\"", static_cast<int>(r.command.sense.key),
                     static_cast<int>(r.command.sense.asc));
    }
    add("fault", r.fault);
    end();
  }

  void on_session(const SessionRecord& r) override {
    begin("session", r.target, r.initiator);
    add("op", r.event);
    add("peer", r.peer);
    add("reason", r.reason);
    end();
  }

  void flush() override {
    for (size_t done = 0; done < lines_.size();) {
      const ssize_t n = ::write(fd_, lines_.data() + done, lines_.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;  // a full disk must not stop the target; the trace then has a gap
      done += static_cast<size_t>(n);
    }
    lines_.clear();
  }

 private:
  void begin(std::string_view kind, std::string_view target, std::string_view initiator) {
    const WallTime now = clock_.wall();
    fmt::format_to(std::back_inserter(lines_), "{{\"ts\":{}.{:06},\"node\":\"target\",\"kind\":\"{}\"", now.seconds,
                   now.nanoseconds / 1000, kind);
    add("target", target);
    add("initiator", initiator);
  }
  void add(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(lines_), ",\"{}\":", key);
    append_quoted(lines_, value);
  }
  void end() {
    lines_ += "}\n";
    if (lines_.size() > 65536) flush();
  }

  int fd_;
  const Clock& clock_;
  std::string lines_;
};

}  // namespace

Result<std::unique_ptr<JsonTrace>> open_json_trace(const std::string& path, const Clock& clock) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return error(Errc::io, "opening trace file {}: {}", path, std::strerror(errno));
  return std::unique_ptr<JsonTrace>(std::make_unique<FileTrace>(fd, clock));
}

}  // namespace pnfs::target
