#include "testbed/kernel/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <initializer_list>

#include "common/base/scoped_fd.hpp"

namespace pnfs::kernel {

namespace fs = std::filesystem;

namespace {

// From bin/ and from libexec/pnfslab/, of a build tree or of an installation.
Result<std::string> beside_program(std::initializer_list<const char*> places, const char* what) {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (failed) return error(Errc::io, "reading /proc/self/exe: {}", failed.message());
  fs::path wanted;
  for (const char* place : places) {
    wanted = (program.parent_path() / place).lexically_normal();
    if (fs::exists(wanted, failed)) return wanted.string();
    if (failed)
      return error(Errc::permission, "{} at {}: {}; may this user enter all folders above it?", what, wanted.string(),
                   failed.message());
  }
  return error(Errc::not_found, "{} is missing at {}; build or install pnfslab completely", what, wanted.string());
}

}  // namespace

Result<std::string> guest_folder() {
  return beside_program({"../libexec/pnfslab/guest", "guest"}, "the kernel client's folder");
}

Result<std::string> supervisor_program() {
  return beside_program({"../libexec/pnfslab/pnfs-guest"}, "the kernel client's program");
}

Result<std::string> read_file(const std::string& path) {
  const ScopedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return error(errno == ENOENT ? Errc::not_found : Errc::io, "{}: {}", path, std::strerror(errno));
  std::string text;
  char buffer[16384];
  for (ssize_t got; (got = ::read(fd.get(), buffer, sizeof buffer)) != 0;) {
    if (got < 0) return error(Errc::io, "{}: {}", path, std::strerror(errno));
    text.append(buffer, size_t(got));
  }
  return text;
}

Result<void> write_file(const std::string& path, std::string_view text) {
  const ScopedFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return error(Errc::io, "{}: {}", path, std::strerror(errno));
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd.get(), text.data(), text.size());
    if (wrote < 0) return error(Errc::io, "{}: {}", path, std::strerror(errno));
    text.remove_prefix(size_t(wrote));
  }
  return {};
}

}  // namespace pnfs::kernel
