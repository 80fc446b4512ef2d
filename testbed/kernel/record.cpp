#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/kernel/supervisor.hpp"

namespace pnfs::kernel {

namespace {

constexpr size_t kMaxRecordBytes = 64 << 20;

Result<void> read_exactly(int fd, char* into, size_t count, TimePoint deadline) {
  const SystemClock clock;
  while (count > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock.now()).count();
    pollfd wait{fd, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, int(left)) == 0) return error(Errc::timeout, "no answer in time");
    const ssize_t got = ::read(fd, into, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return error(Errc::closed, "the other side has gone");
    into += got;
    count -= size_t(got);
  }
  return {};
}

}  // namespace

Result<Settings> read_record(int fd, Duration timeout) {
  const TimePoint deadline = SystemClock().now() + timeout;
  size_t length = 0;
  for (char digit = 0;;) {
    if (auto got = read_exactly(fd, &digit, 1, deadline); !got) return got.error();
    if (digit == '\n') break;
    if (digit < '0' || digit > '9' || length > kMaxRecordBytes) return error(Errc::protocol, "not a record");
    length = length * 10 + size_t(digit - '0');
  }
  std::string bytes(length, '\0');
  if (auto got = read_exactly(fd, bytes.data(), length, deadline); !got) return got.error();
  return Settings::parse(bytes);
}

Result<void> write_record(int fd, const Settings& record) {
  const std::string body = record.bytes();
  const std::string all = std::to_string(body.size()) + "\n" + body;
  for (size_t done = 0; done < all.size();) {
    const ssize_t wrote = ::write(fd, all.data() + done, all.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return error(Errc::closed, "writing a record: {}", std::strerror(errno));
    done += size_t(wrote);
  }
  return {};
}

}  // namespace pnfs::kernel
