#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/base/scoped_fd.hpp"
#include "testbed/target/backing/backing.hpp"

namespace pnfs::target {

namespace {

Error failure(std::string_view doing, const std::string& path) {
  const int code = errno;
  return error(code == ENOSPC || code == EDQUOT ? Errc::no_space : Errc::io, "{} {}: {}", doing, path,
               std::strerror(code));
}

// What O_DIRECT wants of address, offset and length everywhere.
constexpr uint64_t kDirectAlignment = 4096;

bool aligned(uint64_t value) {
  return value % kDirectAlignment == 0;
}
bool aligned(const void* address) {
  return aligned(reinterpret_cast<uint64_t>(address));
}

class File final : public Backing {
 public:
  // `direct`: the same file opened with O_DIRECT, or none.
  File(ScopedFd fd, ScopedFd direct, std::string path, uint64_t size, bool durable)
      : fd_(std::move(fd)), direct_(std::move(direct)), path_(std::move(path)), size_(size), durable_(durable) {}

  uint64_t size_bytes() const override { return size_; }

  Result<void> read(uint64_t offset, Bytes into) override {
    while (!into.empty()) {
      const bool direct = direct_ && aligned(into.data()) && aligned(offset) && aligned(into.size());
      const int fd = direct ? direct_.get() : fd_.get();
      const ssize_t n = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && direct && errno == EINVAL) {
        direct_.reset();
        continue;
      }
      if (n < 0) return failure("reading", path_);
      if (n == 0) return error(Errc::io, "{} is shorter than the LUN it backs; was it truncated?", path_);
      into = into.subspan(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return {};
  }

  Result<void> write(uint64_t offset, ConstBytes from) override {
    unflushed_ = !durable_;
    while (!from.empty()) {
      const bool direct = direct_ && aligned(offset) && aligned(from.size());
      const ConstBytes part = direct && !aligned(from.data()) ? bounce(from) : from;
      const int fd = direct ? direct_.get() : fd_.get();
      const ssize_t n = ::pwrite(fd, part.data(), part.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && direct && errno == EINVAL) {
        direct_.reset();  // not on this file system
        continue;
      }
      if (n < 0) return failure("writing", path_);
      from = from.subspan(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return {};
  }

  Result<void> flush() override {
    if (!unflushed_) return {};
    if (::fdatasync(fd_.get()) != 0) return failure("flushing", path_);
    unflushed_ = false;
    return {};
  }

  Result<void> zero(uint64_t offset, uint64_t length, bool deallocate) override {
    unflushed_ = true;
    const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    const int keep = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
    const auto from = static_cast<off_t>(offset);
    const auto bytes = static_cast<off_t>(length);
    // Not every file system has both (tmpfs cannot zero a range in place), and a block device may have neither.
    if (!deallocate && ::fallocate(fd_.get(), keep, from, bytes) == 0) return settle();
    if (::fallocate(fd_.get(), punch, from, bytes) == 0) return settle();
    if (errno != EOPNOTSUPP && errno != ENODEV && errno != EINVAL) return failure("zeroing a range of", path_);
    static const std::array<uint8_t, 65536> zeros{};
    while (length > 0) {
      const size_t count = std::min<uint64_t>(length, zeros.size());
      if (auto done = write(offset, ConstBytes(zeros).first(count)); !done) return done;
      offset += count;
      length -= count;
    }
    return settle();
  }

  Run run_at(uint64_t offset) override {
    const off_t data = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
    if (data < 0) return {size_ - offset, errno != ENXIO};  // ENXIO: a hole up to the end; else unknown, so mapped
    if (static_cast<uint64_t>(data) > offset)
      return {std::min<uint64_t>(static_cast<uint64_t>(data), size_) - offset, false};
    const off_t hole = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_HOLE);
    const uint64_t end = hole < 0 ? size_ : std::min<uint64_t>(static_cast<uint64_t>(hole), size_);
    return {end - offset, true};
  }

 private:
  Result<void> settle() { return durable_ ? flush() : Result<void>{}; }

  // Data that lie in the input buffer, as immediate data do, go out by way of an aligned copy.
  ConstBytes bounce(ConstBytes from) {
    if (!bounce_) bounce_.reset(static_cast<uint8_t*>(std::aligned_alloc(kDirectAlignment, kBounceBytes)));
    const size_t count = std::min<size_t>(from.size(), kBounceBytes);
    std::memcpy(bounce_.get(), from.data(), count);
    return {bounce_.get(), count};
  }

  static constexpr size_t kBounceBytes = 256 * 1024;
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };
  ScopedFd fd_;
  ScopedFd direct_;
  std::unique_ptr<uint8_t, Free> bounce_;
  std::string path_;
  uint64_t size_;
  bool durable_;
  bool unflushed_ = false;
};

// The size of the opened file or device, after it was extended where that was asked for.
Result<uint64_t> settle_size(int fd, const struct stat& st, const FileOptions& options) {
  uint64_t size = static_cast<uint64_t>(st.st_size);
  if (S_ISBLK(st.st_mode) && ::ioctl(fd, BLKGETSIZE64, &size) != 0) return failure("asking the size of", options.path);
  if (options.size_bytes == 0) {
    if (size == 0) return error(Errc::invalid, "{} is empty: give a size for the LUN", options.path);
    return size;
  }
  if (size > options.size_bytes) {
    if (S_ISBLK(st.st_mode)) return options.size_bytes;
    return error(Errc::invalid, "{} has {} bytes, more than the {} asked for; leave the size out or remove the file",
                 options.path, size, options.size_bytes);
  }
  if (size < options.size_bytes) {
    if (!S_ISREG(st.st_mode) || options.read_only)
      return error(Errc::invalid, "{} has only {} bytes and cannot be extended", options.path, size);
    if (::ftruncate(fd, static_cast<off_t>(options.size_bytes)) != 0) return failure("extending", options.path);
  }
  return options.size_bytes;
}

}  // namespace

Result<std::unique_ptr<Backing>> open_file(const FileOptions& options) {
  int flags = O_CLOEXEC | (options.read_only ? O_RDONLY : O_RDWR);
  if (options.every_write_durable) flags |= O_DSYNC;
  if (options.size_bytes > 0 && !options.read_only) flags |= O_CREAT;
  ScopedFd fd(::open(options.path.c_str(), flags, 0600));
  if (!fd) {
    if (errno == ENOENT)
      return error(Errc::not_found, "{} does not exist; give a size to have it created", options.path);
    return failure("opening", options.path);
  }
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
    return error(Errc::invalid, "{} is neither a regular file nor a block device", options.path);
  if (::flock(fd.get(), (options.read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0)
    return error(Errc::busy, "{} is in use by another target; stop that one or choose another file", options.path);
  const auto size = settle_size(fd.get(), st, options);
  if (!size) return size.error();
  // Blocks that are not aligned to it go through the page cache, which the kernel keeps in step with direct I/O.
  ScopedFd direct(options.direct ? ::open(options.path.c_str(), (flags & ~O_CREAT) | O_DIRECT) : -1);
  return std::unique_ptr<Backing>(
      std::make_unique<File>(std::move(fd), std::move(direct), options.path, *size, options.every_write_durable));
}

}  // namespace pnfs::target
