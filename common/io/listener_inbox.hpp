// Listening sockets from elsewhere. A kernel client lives in a network namespace of its own; whoever made that
// namespace creates a listening socket inside it and passes it to the running server, which then serves clients there
// without a bridge, a route or a privilege.
//
// Protocol on the Unix-domain stream socket: the sender writes one byte 'L' with one SCM_RIGHTS descriptor. The answer
// is 'K', or 'E' and a sentence. The listener is served while the connection stays open; when the sender closes it
// the listener and every connection that came through it are closed (they would keep the dead namespace alive).
//
// The same socket takes orders: 'C', a line of text, a newline. The answer is 'K' and text, or 'E' and a sentence, and
// the end of the connection.
//
// Threading: the context's thread only. The inbox must be stopped and joined before it is destroyed.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>

#include "common/base/scoped_fd.hpp"
#include "common/io/stream.hpp"
#include "common/io/task_group.hpp"
#include "common/io/timer_queue.hpp"

namespace pnfs::io {

class ListenerInbox {
 public:
  // Serves one listener until its accept() fails with Errc::closed, then returns. Runs in the inbox's task group.
  using Serve = std::function<Task<void>(std::unique_ptr<Listener>)>;

  // One line in, the answer's text out. Must not suspend.
  using Command = std::function<Result<std::string>(std::string_view)>;

  static constexpr size_t kMaxSenders = 64;
  static constexpr size_t kMaxCommandBytes = 64 * 1024;
  static constexpr Duration kGreetingTimeout = std::chrono::seconds(5);

  // Without `serve` no listener is taken, without `command` no order. Listens at `path` (mode 0600). A socket file that
  // nobody serves any more is replaced; one that another process serves is Errc::busy.
  static Result<std::unique_ptr<ListenerInbox>> open(asio::io_context& context, TimerQueue& timers, std::string path,
                                                     Serve serve, Command command = nullptr);
  ~ListenerInbox();

  // Closes every passed listener and removes the socket file. join() waits until all of it has ended.
  void stop();
  Task<void> join();

  size_t listeners() const { return served_; }

 private:
  using Socket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;
  using Acceptor = asio::basic_socket_acceptor<asio::local::stream_protocol, Executor>;

  ListenerInbox(asio::io_context& context, TimerQueue& timers, std::string path, Serve serve, Command command, int fd);
  struct Greeting;
  Task<void> accept_loop();
  Task<void> handle(Socket sender);
  Task<Result<Greeting>> receive(Socket& sender);
  Task<Result<std::string>> obey(Socket& sender);
  Task<void> serve(Socket sender, ScopedFd fd);

  asio::io_context& context_;
  TimerQueue& timers_;
  std::string path_;
  Serve serve_;
  Command command_;
  Acceptor acceptor_;
  TaskGroup tasks_;
  size_t served_ = 0;
};

}  // namespace pnfs::io
