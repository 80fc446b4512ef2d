#define FUSE_USE_VERSION 35
#include "testbed/inspect/mount.hpp"

#include <fuse3/fuse.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <filesystem>

namespace pnfs::inspect {

namespace {

View& view() {
  return *static_cast<View*>(fuse_get_context()->private_data);
}

int to_errno(const Error& problem) {
  switch (problem.code) {
    case Errc::not_found:
      return -ENOENT;
    case Errc::invalid:
      return -EINVAL;
    case Errc::busy:
      return -EAGAIN;
    case Errc::too_large:
      return -EFBIG;
    case Errc::permission:
      return -EACCES;
    default:
      spdlog::warn("inspect: {}", problem.reason);
      return -EIO;
  }
}

OpenFile* opened(const fuse_file_info* info) {
  return reinterpret_cast<OpenFile*>(info->fh);
}

void* on_init(fuse_conn_info*, fuse_config* config) {
  // Sizes and contents follow the volume; nothing may be remembered for long.
  config->direct_io = 1;
  config->attr_timeout = 0.5;
  config->entry_timeout = 0.5;
  config->use_ino = 0;
  return fuse_get_context()->private_data;
}

int on_getattr(const char* path, struct stat* out, fuse_file_info*) {
  auto found = view().attributes(path);
  if (!found) return to_errno(found.error());
  *out = *found;
  return 0;
}

int on_readlink(const char* path, char* out, size_t room) {
  auto target = view().link_target(path);
  if (!target) return to_errno(target.error());
  const size_t length = std::min(target->size(), room - 1);
  std::memcpy(out, target->data(), length);
  out[length] = '\0';
  return 0;
}

int on_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*, fuse_readdir_flags) {
  auto items = view().list(path);
  if (!items) return to_errno(items.error());
  fill(buffer, ".", nullptr, 0, fuse_fill_dir_flags{});
  fill(buffer, "..", nullptr, 0, fuse_fill_dir_flags{});
  for (const Item& item : *items) fill(buffer, item.name.c_str(), &item.attributes, 0, fuse_fill_dir_flags{});
  return 0;
}

int on_open(const char* path, fuse_file_info* info) {
  if ((info->flags & O_ACCMODE) != O_RDONLY) return -EROFS;
  auto file = view().open(path);
  if (!file) return to_errno(file.error());
  info->fh = reinterpret_cast<uint64_t>(file->release());
  return 0;
}

int on_read(const char*, char* out, size_t size, off_t offset, fuse_file_info* info) {
  auto got = view().read(*opened(info), static_cast<uint64_t>(offset), std::as_writable_bytes(std::span(out, size)));
  if (!got) return to_errno(got.error());
  return static_cast<int>(*got);
}

int on_release(const char*, fuse_file_info* info) {
  delete opened(info);
  return 0;
}

fuse_operations operations() {
  fuse_operations ops{};
  ops.init = on_init;
  ops.getattr = on_getattr;
  ops.readlink = on_readlink;
  ops.readdir = on_readdir;
  ops.open = on_open;
  ops.read = on_read;
  ops.release = on_release;
  return ops;
}

}  // namespace

Result<void> serve(View& view, const MountOptions& options) {
  if (!std::filesystem::is_directory(options.directory))
    return error(Errc::not_found, "'{}' is not a folder; make it first: mkdir {}", options.directory,
                 options.directory);
  std::string flags = "ro,fsname=pnfslab,subtype=pnfslab";
  if (options.allow_other) flags += ",allow_other";
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&args, "pnfslab");
  fuse_opt_add_arg(&args, "-o");
  fuse_opt_add_arg(&args, flags.c_str());
  const fuse_operations ops = operations();
  fuse* handle = fuse_new(&args, &ops, sizeof ops, &view);
  fuse_opt_free_args(&args);
  if (handle == nullptr) return error(Errc::io, "libfuse refused its options '{}'", flags);
  if (fuse_mount(handle, options.directory.c_str()) != 0) {
    fuse_destroy(handle);
    return error(Errc::permission, "cannot mount on '{}': is /dev/fuse there, and fusermount3 (package fuse3)?",
                 options.directory);
  }
  fuse_set_signal_handlers(fuse_get_session(handle));
  fmt::print("showing {} (end it with Ctrl-C or: fusermount3 -u {})\n", options.directory, options.directory);
  std::fflush(stdout);
  const int ended = fuse_loop(handle);
  fuse_remove_signal_handlers(fuse_get_session(handle));
  fuse_unmount(handle);
  fuse_destroy(handle);
  if (ended < 0) return error(Errc::io, "serving '{}': {}", options.directory, std::strerror(-ended));
  return {};
}

}  // namespace pnfs::inspect
