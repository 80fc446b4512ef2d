#define FUSE_USE_VERSION 35
#include "testbed/inspect/fuse_server.hpp"

#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <cstdlib>

#include "common/io/as_tuple_task.hpp"
#include "common/io/task_group.hpp"

namespace pnfs::inspect {

namespace {

constexpr size_t kListBatch = 256;
constexpr size_t kMostRead = 1 << 20;
constexpr size_t kMostWrite = 64 * 1024;

int to_errno(Errc code) {
  switch (code) {
    case Errc::not_found:
      return ENOENT;
    case Errc::invalid:
      return EINVAL;
    case Errc::too_large:
      return EOVERFLOW;
    case Errc::permission:
      return EACCES;
    default:
      return EIO;
  }
}

// One request of the kernel: answered exactly once, however its work ends. Interrupted (the caller was killed or got
// Ctrl-C) it is answered at once; the work goes on to its end and its answer is dropped.
class Request {
 public:
  explicit Request(fuse_req_t request) : request_(request) {
    fuse_req_interrupt_func(request_, &Request::interrupted, this);
  }
  ~Request() {
    if (request_ != nullptr) error(EIO);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void error(int number) {
    if (fuse_req_t r = take()) fuse_reply_err(r, number);
  }
  // The libfuse function of the answer, and what it takes behind the request.
  template <class Reply, class... Args>
  bool answer(Reply reply, Args... args) {
    const fuse_req_t r = take();
    return r != nullptr && reply(r, args...) == 0;  // false: nobody will use what was given
  }
  fuse_req_t handle() const { return request_; }

 private:
  fuse_req_t take() { return std::exchange(request_, nullptr); }
  static void interrupted(fuse_req_t, void* self) { static_cast<Request*>(self)->error(EINTR); }
  fuse_req_t request_;
};
using Ask = std::unique_ptr<Request>;

class Server {
 public:
  Server(boost::asio::io_context& context, Tree& tree)
      : context_(context), tree_(tree), signals_(context, SIGTERM, SIGINT, SIGHUP), tasks_(context.get_executor()) {}

  Result<void> run(const MountOptions& options, const std::function<void()>& ready);

  // ---- one for each request
  static Server& of(fuse_req_t request) { return *static_cast<Server*>(fuse_req_userdata(request)); }
  // Starts the work of a request. `make(server, ask)` gives its coroutine.
  template <class Make>
  static void start(fuse_req_t request, Make make) {
    Server& server = of(request);
    server.tasks_.spawn("request", make(server, std::make_unique<Request>(request)));
  }

  io::Task<void> look_up(Ask ask, fuse_ino_t parent, std::string name);
  io::Task<void> get_attributes(Ask ask, fuse_ino_t ino);
  io::Task<void> read_link(Ask ask, fuse_ino_t ino);
  io::Task<void> open_folder(Ask ask, fuse_ino_t ino, fuse_file_info info);
  void list(Request& ask, const OpenFolder& folder, size_t size, off_t offset, bool plus);
  io::Task<void> open_file(Ask ask, fuse_ino_t ino, fuse_file_info info);
  io::Task<void> read(Ask ask, std::shared_ptr<OpenFile> file, size_t size, uint64_t offset);
  io::Task<void> write(Ask ask, NodeId node, std::string text);
  io::Task<void> file_system(Ask ask);
  void seek(Request& ask, const OpenFile& file, off_t offset, int whence);

  void fail(Request& ask, const Error& why, int number = 0);

 private:
  io::Task<void> serve_requests(int fd);
  io::Task<void> watch_signals();

  boost::asio::io_context& context_;
  Tree& tree_;
  boost::asio::signal_set signals_;
  io::TaskGroup tasks_;
  fuse_session* session_ = nullptr;
  int ended_ = 0;
};

using FileHandle = std::shared_ptr<OpenFile>;

const FileHandle& file_of(const fuse_file_info* info) {
  return *reinterpret_cast<FileHandle*>(info->fh);
}

void Server::fail(Request& ask, const Error& why, int number) {
  if (number == 0) number = to_errno(why.code);
  if (number == EIO) spdlog::warn("inspect: {}", why.reason);
  if (number != ENOENT) tree_.note_error(why.reason);
  ask.error(number);
}

fuse_entry_param entry_of(const Item& item) {
  // Nothing is remembered: what the volume says next may be different.
  fuse_entry_param entry{};
  entry.ino = to_ino(item.node);
  entry.attr = item.attributes;
  return entry;
}

io::Task<void> Server::look_up(Ask ask, fuse_ino_t parent, std::string name) {
  const auto node = from_ino(parent);
  if (!node) co_return ask->error(ESTALE);
  auto item = co_await tree_.lookup(*node, std::move(name));
  if (!item) co_return fail(*ask, item.error());
  const fuse_entry_param entry = entry_of(*item);
  ask->answer(fuse_reply_entry, &entry);
}

io::Task<void> Server::get_attributes(Ask ask, fuse_ino_t ino) {
  const auto node = from_ino(ino);
  if (!node) co_return ask->error(ESTALE);
  auto attributes = co_await tree_.attributes(*node);
  if (!attributes) co_return fail(*ask, attributes.error());
  ask->answer(fuse_reply_attr, &*attributes, 0.0);
}

io::Task<void> Server::read_link(Ask ask, fuse_ino_t ino) {
  const auto node = from_ino(ino);
  if (!node) co_return ask->error(ESTALE);
  auto target = co_await tree_.link_target(*node);
  if (!target) co_return fail(*ask, target.error());
  ask->answer(fuse_reply_readlink, target->c_str());
}

io::Task<void> Server::open_folder(Ask ask, fuse_ino_t ino, fuse_file_info info) {
  const auto node = from_ino(ino);
  if (!node) co_return ask->error(ESTALE);
  auto folder = co_await tree_.open_folder(*node);
  if (!folder) co_return fail(*ask, folder.error());
  OpenFolder* opened = folder->release();
  info.fh = reinterpret_cast<uint64_t>(opened);
  if (!ask->answer(fuse_reply_open, &info)) delete opened;
}

// From memory: the folder's picture was taken when it was opened.
void Server::list(Request& ask, const OpenFolder& folder, size_t size, off_t offset, bool plus) {
  std::string out(size, '\0');
  size_t used = 0;
  auto after = static_cast<uint64_t>(offset);
  for (bool full = false; !full;) {
    auto batch = tree_.list(folder, after, kListBatch);
    if (!batch) return fail(ask, batch.error());
    if (batch->empty()) break;
    for (const Item& item : *batch) {
      const fuse_entry_param entry = entry_of(item);
      const auto next = static_cast<off_t>(item.next);
      const size_t need =
          plus ? fuse_add_direntry_plus(ask.handle(), out.data() + used, size - used, item.name.c_str(), &entry, next)
               : fuse_add_direntry(ask.handle(), out.data() + used, size - used, item.name.c_str(), &entry.attr, next);
      full = need > size - used;
      if (full) break;
      used += need;
      after = item.next;
    }
  }
  ask.answer(fuse_reply_buf, static_cast<const char*>(out.data()), used);
}

io::Task<void> Server::open_file(Ask ask, fuse_ino_t ino, fuse_file_info info) {
  const auto node = from_ino(ino);
  if (!node) co_return ask->error(ESTALE);
  const bool writes = (info.flags & O_ACCMODE) != O_RDONLY;
  if (writes && !Tree::is_control(*node)) co_return ask->error(EROFS);
  auto file = co_await tree_.open(*node);
  if (!file) co_return fail(*ask, file.error());
  auto* opened = new FileHandle(std::move(*file));
  info.direct_io = 1;  // sizes and contents follow the volume
  info.fh = reinterpret_cast<uint64_t>(opened);
  if (!ask->answer(fuse_reply_open, &info)) delete opened;
}

io::Task<void> Server::read(Ask ask, FileHandle file, size_t size, uint64_t offset) {
  std::vector<std::byte> into(std::min(size, kMostRead));
  auto got = co_await tree_.read(*file, offset, into);
  if (!got) co_return fail(*ask, got.error(), got.error().code == Errc::corrupt ? ESTALE : 0);
  ask->answer(fuse_reply_buf, reinterpret_cast<const char*>(into.data()), *got);
}

io::Task<void> Server::write(Ask ask, NodeId node, std::string text) {
  const size_t size = text.size();
  auto done = co_await tree_.write(node, std::move(text));
  if (!done) {
    // The tree has noted which line it was. A server that is away is no fault of the line.
    const Errc code = done.error().code;
    co_return ask->error(code == Errc::invalid || code == Errc::not_found ? EINVAL : EIO);
  }
  ask->answer(fuse_reply_write, size);
}

io::Task<void> Server::file_system(Ask ask) {
  auto space = co_await tree_.space();
  if (!space) co_return fail(*ask, space.error());
  struct statvfs out {};
  out.f_bsize = out.f_frsize = 4096;
  out.f_blocks = space->total_bytes / out.f_frsize;
  out.f_bfree = out.f_bavail = space->free_bytes / out.f_frsize;
  out.f_namemax = volume::kMaxNameBytes;
  ask->answer(fuse_reply_statfs, static_cast<const struct statvfs*>(&out));
}

void Server::seek(Request& ask, const OpenFile& file, off_t offset, int whence) {
  if (whence != SEEK_DATA && whence != SEEK_HOLE) return ask.error(EINVAL);
  auto at = tree_.seek(file, static_cast<uint64_t>(offset), whence == SEEK_DATA);
  if (!at) return ask.error(at.error().code == Errc::not_found ? ENXIO : EIO);
  ask.answer(fuse_reply_lseek, static_cast<off_t>(*at));
}

// --- what libfuse calls ---

void on_lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Server::start(req, [&](Server& s, Ask ask) { return s.look_up(std::move(ask), parent, name); });
}
void on_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  if (info != nullptr) {
    fuse_reply_attr(req, &file_of(info)->attributes, 0.0);
    return;
  }
  Server::start(req, [&](Server& s, Ask ask) { return s.get_attributes(std::move(ask), ino); });
}
// `> control/faults` truncates before it writes; nothing else can be set.
void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat*, int what, fuse_file_info*) {
  const auto node = from_ino(ino);
  if (!node || !Tree::is_control(*node) || (what & ~(FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_CTIME)) != 0) {
    fuse_reply_err(req, EROFS);
    return;
  }
  Server::start(req, [&](Server& s, Ask ask) { return s.get_attributes(std::move(ask), ino); });
}
void on_readlink(fuse_req_t req, fuse_ino_t ino) {
  Server::start(req, [&](Server& s, Ask ask) { return s.read_link(std::move(ask), ino); });
}
void on_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  Server::start(req, [&](Server& s, Ask ask) { return s.open_folder(std::move(ask), ino, *info); });
}
void on_readdir(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  Request ask(req);
  Server::of(req).list(ask, *reinterpret_cast<OpenFolder*>(info->fh), size, offset, false);
}
void on_readdirplus(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  Request ask(req);
  Server::of(req).list(ask, *reinterpret_cast<OpenFolder*>(info->fh), size, offset, true);
}
void on_releasedir(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  delete reinterpret_cast<OpenFolder*>(info->fh);
  fuse_reply_err(req, 0);
}
void on_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  Server::start(req, [&](Server& s, Ask ask) { return s.open_file(std::move(ask), ino, *info); });
}
void on_read(fuse_req_t req, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  Server::start(req, [&](Server& s, Ask ask) {
    return s.read(std::move(ask), file_of(info), size, static_cast<uint64_t>(offset));
  });
}
void on_write(fuse_req_t req, fuse_ino_t ino, const char* bytes, size_t size, off_t, fuse_file_info*) {
  const auto node = from_ino(ino);
  if (!node || size > kMostWrite) {
    fuse_reply_err(req, EINVAL);
    return;
  }
  Server::start(req, [&](Server& s, Ask ask) { return s.write(std::move(ask), *node, std::string(bytes, size)); });
}
void on_release(fuse_req_t req, fuse_ino_t, fuse_file_info* info) {
  delete reinterpret_cast<FileHandle*>(info->fh);
  fuse_reply_err(req, 0);
}
void on_statfs(fuse_req_t req, fuse_ino_t) {
  Server::start(req, [&](Server& s, Ask ask) { return s.file_system(std::move(ask)); });
}
void on_lseek(fuse_req_t req, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  Request ask(req);
  Server::of(req).seek(ask, *file_of(info), offset, whence);
}
// Whatever changes something.
template <class... Args>
void refuse(fuse_req_t req, Args...) {
  fuse_reply_err(req, EROFS);
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops ops{};
  ops.lookup = on_lookup;
  ops.getattr = on_getattr;
  ops.setattr = on_setattr;
  ops.readlink = on_readlink;
  ops.opendir = on_opendir;
  ops.readdir = on_readdir;
  ops.readdirplus = on_readdirplus;
  ops.releasedir = on_releasedir;
  ops.open = on_open;
  ops.read = on_read;
  ops.write = on_write;
  ops.release = on_release;
  ops.statfs = on_statfs;
  ops.lseek = on_lseek;
  ops.mknod = refuse;
  ops.mkdir = refuse;
  ops.unlink = refuse;
  ops.rmdir = refuse;
  ops.symlink = refuse;
  ops.rename = refuse;
  ops.link = refuse;
  ops.create = refuse;
  ops.setxattr = refuse;
  ops.removexattr = refuse;
  ops.fallocate = refuse;
  return ops;
}

// --- the loop ---

io::Task<void> Server::serve_requests(int fd) {
  boost::asio::posix::basic_stream_descriptor<io::Executor> device(context_.get_executor(), fd);
  struct Release {  // the session owns the descriptor
    boost::asio::posix::basic_stream_descriptor<io::Executor>& device;
    ~Release() { device.release(); }
  } release{device};
  fuse_buf buffer{};
  while (fuse_session_exited(session_) == 0) {
    auto [failed] = co_await device.async_wait(device.wait_read, io::as_tuple_task);
    if (failed) break;
    const int got = fuse_session_receive_buf(session_, &buffer);
    if (got == -EAGAIN || got == -EINTR) continue;
    if (got <= 0) {  // 0: unmounted
      ended_ = got;
      break;
    }
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  signals_.cancel();
}

io::Task<void> Server::watch_signals() {
  auto [failed, number] = co_await signals_.async_wait(io::as_tuple_task);
  if (!failed) fuse_session_exit(session_);
  context_.stop();
}

Result<void> Server::run(const MountOptions& options, const std::function<void()>& ready) {
  std::string flags = "fsname=pnfslab,subtype=pnfslab";
  if (options.allow_other) flags += ",allow_other,default_permissions";
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&args, "pnfslab");
  fuse_opt_add_arg(&args, "-o");
  fuse_opt_add_arg(&args, flags.c_str());
  const fuse_lowlevel_ops ops = operations();
  session_ = fuse_session_new(&args, &ops, sizeof ops, this);
  fuse_opt_free_args(&args);
  if (session_ == nullptr) return error(Errc::io, "libfuse refused its options '{}'", flags);
  if (fuse_session_mount(session_, options.directory.c_str()) != 0) {
    fuse_session_destroy(session_);
    return error(Errc::permission,
                 "cannot mount on '{}': is /dev/fuse there, and fusermount3 (package fuse3) for users other than root{}?",
                 options.directory, options.allow_other ? ", and user_allow_other in /etc/fuse.conf" : "");
  }
  const int fd = fuse_session_fd(session_);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ready();
  tasks_.spawn("requests", serve_requests(fd));
  boost::asio::co_spawn(context_, watch_signals(), boost::asio::detached);
  context_.restart();
  context_.run();
  // Whoever still waits gets EIO while the kernel listens; then nobody asks any more.
  tasks_.stop();
  fuse_session_unmount(session_);
  auto joined = [this]() -> io::Task<void> { co_await tasks_.join(); context_.stop(); };
  boost::asio::co_spawn(context_, joined(), boost::asio::detached);
  context_.restart();
  context_.run();
  fuse_session_destroy(session_);
  if (ended_ < 0) return error(Errc::io, "serving '{}': {}", options.directory, std::strerror(-ended_));
  return {};
}

}  // namespace

Result<void> serve(boost::asio::io_context& context, Tree& tree, const MountOptions& options,
                   const std::function<void()>& ready) {
  struct stat there {};
  if (::stat(options.directory.c_str(), &there) != 0 && errno == ENOTCONN)
    return error(Errc::busy, "'{}' is the mount point of a view that died; free it first: fusermount3 -u {}",
                 options.directory, options.directory);
  if (!S_ISDIR(there.st_mode))
    return error(Errc::not_found, "'{}' is not a folder; make it first: mkdir {}", options.directory,
                 options.directory);
  Server server(context, tree);
  return server.run(options, ready);
}

}  // namespace pnfs::inspect
