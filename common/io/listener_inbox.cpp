#include "common/io/listener_inbox.hpp"
#include "common/io/as_tuple_task.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <list>

#include "common/io/local_address.hpp"
#include "common/io/tcp_network.hpp"

namespace pnfs::io {

namespace {

class TrackedStream;

// A passed listener and the connections that came through it; shared by the server that accepts and by the inbox that
// ends it.
struct Passed {
  std::unique_ptr<Listener> listener;
  std::list<TrackedStream*> streams;
  bool ended = false;

  void end();
};

class TrackedStream final : public Stream {
 public:
  TrackedStream(std::shared_ptr<Passed> passed, std::unique_ptr<Stream> inner)
      : passed_(std::move(passed)), inner_(std::move(inner)) {
    place_ = passed_->streams.insert(passed_->streams.end(), this);
  }
  ~TrackedStream() override { passed_->streams.erase(place_); }

  Task<Result<size_t>> read_some(std::span<std::byte> into) override { return inner_->read_some(into); }
  Task<Result<void>> write(std::span<const ConstBytes> pieces) override { return inner_->write(pieces); }
  void close() override { inner_->close(); }
  void reset() override { inner_->reset(); }
  Endpoint local() const override { return inner_->local(); }
  Endpoint remote() const override { return inner_->remote(); }

 private:
  std::shared_ptr<Passed> passed_;
  std::unique_ptr<Stream> inner_;
  std::list<TrackedStream*>::iterator place_;
};

void Passed::end() {
  if (ended) return;
  ended = true;
  listener->close();
  // A reset, not a farewell: the peer's kernel may be gone, and an orderly end would wait for it.
  for (TrackedStream* stream : streams) stream->reset();
}

class PassedListener final : public Listener {
 public:
  explicit PassedListener(std::shared_ptr<Passed> passed) : passed_(std::move(passed)) {}

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    const std::shared_ptr<Passed> passed = passed_;
    if (passed->ended) co_return error(Errc::closed, "the listener's owner is gone");
    auto stream = co_await passed->listener->accept();
    if (!stream) co_return stream.error();
    std::unique_ptr<Stream> tracked = std::make_unique<TrackedStream>(passed, std::move(*stream));
    if (passed->ended) tracked->reset();
    co_return tracked;
  }
  void close() override { passed_->end(); }
  Endpoint local() const override { return passed_->listener->local(); }

 private:
  std::shared_ptr<Passed> passed_;
};

struct EndAtExit {
  std::shared_ptr<Passed> passed;
  size_t& count;
  EndAtExit(std::shared_ptr<Passed> p, size_t& c) : passed(std::move(p)), count(c) { ++count; }
  ~EndAtExit() {
    passed->end();
    --count;
  }
};

bool is_listening_tcp(int fd) {
  const auto option = [fd](int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  };
  const int domain = option(SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) && option(SO_TYPE) == SOCK_STREAM && option(SO_ACCEPTCONN) == 1;
}

Result<int> bind_local(const std::string& path) {
  auto address = local_address(path);
  if (!address) return address.error();
  ScopedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return error(Errc::io, "making socket {}: {}", path, std::strerror(errno));
  if (::bind(fd.get(), address->get(), address->size()) != 0 && errno == EADDRINUSE) {
    ScopedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), address->get(), address->size()) == 0 || errno == EAGAIN)
      return error(Errc::busy, "{} is served by another process; stop that one or choose another state directory",
                   path);
    ::unlink(path.c_str());
    if (::bind(fd.get(), address->get(), address->size()) != 0)
      return error(Errc::io, "binding socket {}: {}", path, std::strerror(errno));
  } else if (struct stat status; ::stat(path.c_str(), &status) != 0) {
    return error(Errc::io, "binding socket {}: {}", path, std::strerror(errno));
  }
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 16) != 0)
    return error(Errc::io, "listening at socket {}: {}", path, std::strerror(errno));
  return fd.release();
}

}  // namespace

Result<std::unique_ptr<ListenerInbox>> ListenerInbox::open(asio::io_context& context, TimerQueue& timers,
                                                           std::string path, Serve serve, Command command) {
  const auto fd = bind_local(path);
  if (!fd) return fd.error();
  std::unique_ptr<ListenerInbox> inbox(
      new ListenerInbox(context, timers, std::move(path), std::move(serve), std::move(command), *fd));
  inbox->tasks_.spawn("listener inbox", inbox->accept_loop());
  return inbox;
}

ListenerInbox::ListenerInbox(asio::io_context& context, TimerQueue& timers, std::string path, Serve serve,
                             Command command, int fd)
    : context_(context),
      timers_(timers),
      path_(std::move(path)),
      serve_(std::move(serve)),
      command_(std::move(command)),
      acceptor_(context.get_executor(), asio::local::stream_protocol(), fd),
      tasks_(context.get_executor()) {}

ListenerInbox::~ListenerInbox() = default;

void ListenerInbox::stop() {
  if (tasks_.stopping()) return;
  ::unlink(path_.c_str());
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  tasks_.stop();
}

Task<void> ListenerInbox::join() {
  return tasks_.join();
}

Task<void> ListenerInbox::accept_loop() {
  for (;;) {
    Socket sender(context_.get_executor());
    auto [failed] = co_await acceptor_.async_accept(sender, as_tuple_task);
    if (failed == asio::error::operation_aborted || failed == asio::error::bad_descriptor) co_return;
    if (failed) {
      // Out of descriptors, most likely: try again later rather than spin.
      spdlog::warn("{}: accepting: {}", path_, failed.message());
      co_await timers_.sleep(std::chrono::milliseconds(100));
      continue;
    }
    if (tasks_.size() > 2 * kMaxSenders) continue;  // closed at once
    tasks_.spawn("inbox", handle(std::move(sender)));
  }
}

struct ListenerInbox::Greeting {
  char verb = 0;
  ScopedFd fd;
};

Task<Result<ListenerInbox::Greeting>> ListenerInbox::receive(Socket& sender) {
  const TimerQueue::Id timer = timers_.schedule_after(kGreetingTimeout, [&sender] {
    boost::system::error_code ignored;
    sender.cancel(ignored);
  });
  auto [failed] = co_await sender.async_wait(asio::socket_base::wait_read, as_tuple_task);
  timers_.cancel(timer);
  if (failed) co_return error(Errc::timeout, "no greeting from the sender");

  char verb = 0;
  iovec piece{&verb, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(sender.native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  std::vector<ScopedFd> passed;
  for (cmsghdr* c = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr; c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, reinterpret_cast<char*>(c) + at, sizeof fd);
      passed.emplace_back(fd);
    }
  }
  if (got <= 0) co_return error(Errc::closed, "the sender left without a word");
  Greeting greeting;
  greeting.verb = verb;
  if (verb == 'C' && passed.empty()) co_return std::move(greeting);
  if (verb != 'L') co_return error(Errc::protocol, "unknown request 0x{:02x}; 'L' and 'C' are known", uint8_t(verb));
  if (passed.size() != 1 || !is_listening_tcp(passed.front().get()))
    co_return error(Errc::protocol, "'L' must carry exactly one listening TCP socket");
  greeting.fd = std::move(passed.front());
  co_return std::move(greeting);
}

// The rest of a line, and what the process makes of it.
Task<Result<std::string>> ListenerInbox::obey(Socket& sender) {
  std::string line;
  const TimerQueue::Id timer = timers_.schedule_after(kGreetingTimeout, [&sender] {
    boost::system::error_code ignored;
    sender.cancel(ignored);
  });
  boost::system::error_code failed;
  while (!failed && line.size() <= kMaxCommandBytes && !line.ends_with('\n')) {
    char bytes[4096];
    auto [problem, got] = co_await sender.async_read_some(asio::buffer(bytes), as_tuple_task);
    failed = problem;
    line.append(bytes, got);
  }
  timers_.cancel(timer);
  if (failed || !line.ends_with('\n'))
    co_return error(Errc::protocol, "'C' must carry one line of at most {} bytes", kMaxCommandBytes);
  line.pop_back();
  if (!command_) co_return error(Errc::unsupported, "this server takes no commands");
  co_return command_(line);
}

Task<void> ListenerInbox::handle(Socket sender) {
  auto greeting = co_await receive(sender);
  if (greeting && greeting->verb == 'L') {
    co_await serve(std::move(sender), std::move(greeting->fd));
    co_return;
  }
  Result<std::string> done = std::string();
  if (greeting) {
    done = co_await obey(sender);
  } else {
    done = greeting.error();
  }
  const std::string answer = done ? "K" + *done : "E" + done.error().reason;
  co_await asio::async_write(sender, asio::buffer(answer), as_tuple_task);
}

Task<void> ListenerInbox::serve(Socket sender, ScopedFd fd) {
  Result<std::unique_ptr<Listener>> listener = error(Errc::busy, "more than {} passed listeners", kMaxSenders);
  if (!serve_) {
    listener = error(Errc::unsupported, "this server takes no listening sockets");
  } else if (served_ < kMaxSenders) {
    listener = TcpNetwork(context_).adopt(fd.release());
  }
  if (!listener) {
    const std::string answer = "E" + listener.error().reason;
    co_await asio::async_write(sender, asio::buffer(answer), as_tuple_task);
    co_return;
  }
  const auto passed = std::make_shared<Passed>();
  passed->listener = std::move(*listener);
  const EndAtExit end_at_exit(passed, served_);
  tasks_.spawn("serving a passed listener", serve_(std::make_unique<PassedListener>(passed)));
  const std::string answer = "K";
  auto [failed, written] = co_await asio::async_write(sender, asio::buffer(answer), as_tuple_task);
  char ignored_bytes[64];
  while (!failed) {
    auto [ended, got] = co_await sender.async_read_some(asio::buffer(ignored_bytes), as_tuple_task);
    failed = ended;
  }
}

}  // namespace pnfs::io
