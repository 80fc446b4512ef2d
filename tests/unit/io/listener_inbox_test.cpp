#include "common/io/listener_inbox.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fstream>

#include "common/io/local_address.hpp"

namespace pnfs::io {
namespace {

using namespace std::chrono_literals;

// The peer of the inbox in plain system calls, so that the protocol itself is what the test holds still.
ScopedFd connect_local(const std::string& path) {
  const auto address = local_address(path);
  ScopedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), address->get(), address->size()), 0) << std::strerror(errno);
  return fd;
}

void send_with_fds(int to, char verb, std::vector<int> fds) {
  iovec piece{&verb, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  ASSERT_EQ(::sendmsg(to, &message, 0), 1);
}

ScopedFd tcp_socket(bool listening, uint16_t& port) {
  ScopedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  if (listening) ::listen(fd.get(), 8);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size);
  port = ntohs(name.sin_port);
  return fd;
}

ScopedFd connect_tcp(uint16_t port) {
  ScopedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) fd.reset();
  return fd;
}

struct ListenerInboxTest : ::testing::Test {
  asio::io_context context;
  SystemClock clock;
  AsioTimers timers{context.get_executor(), clock};
  std::string folder = [] {
    char name[] = "/tmp/inbox_test.XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  std::string path = folder + "/node.sock";
  std::unique_ptr<ListenerInbox> inbox;
  TaskGroup connections{context.get_executor()};
  int serving = 0;

  // Echoes what each connection sends.
  static Task<void> echo(std::unique_ptr<Stream> stream) {
    std::byte buffer[64];
    for (;;) {
      auto got = co_await stream->read_some(buffer);
      if (!got) co_return;
      const ConstBytes piece(buffer, *got);
      auto sent = co_await stream->write({&piece, 1});
      if (!sent) co_return;
    }
  }
  static Task<void> serve(ListenerInboxTest* test, std::unique_ptr<Listener> listener) {
    ++test->serving;
    for (;;) {
      auto stream = co_await listener->accept();
      if (!stream) break;
      test->connections.spawn("echo", echo(std::move(*stream)));
    }
    --test->serving;
  }

  void open() {
    auto opened = ListenerInbox::open(context, timers, path,
                                      [this](std::unique_ptr<Listener> l) { return serve(this, std::move(l)); });
    ASSERT_TRUE(opened) << opened.error().reason;
    inbox = std::move(*opened);
  }
  // Long enough for everything that is ready; timers that were cancelled keep the loop itself alive.
  void settle() {
    context.restart();
    context.run_for(50ms);
  }
  void TearDown() override {
    if (inbox) inbox->stop();
    connections.stop();
    settle();
    EXPECT_EQ(connections.size(), 0u);
    EXPECT_EQ(serving, 0);
    inbox.reset();
    EXPECT_NE(::access(path.c_str(), F_OK), 0) << "the socket file was left behind";
    ::rmdir(folder.c_str());
  }
  // What arrives at `fd` (read with the loop running), or "" when nothing came; "EOF" when the peer closed.
  std::string receive(int fd) {
    for (int i = 0; i < 100; ++i) {
      context.restart();
      context.run_for(5ms);
      char text[256];
      const ssize_t got = ::recv(fd, text, sizeof text, MSG_DONTWAIT);
      if (got > 0) return std::string(text, size_t(got));
      if (got == 0 || errno != EAGAIN) return "EOF";
    }
    return "";
  }
};

TEST_F(ListenerInboxTest, ServesAPassedListenerUntilTheSenderLeaves) {
  open();
  uint16_t port = 0;
  ScopedFd listening = tcp_socket(true, port);
  ScopedFd sender = connect_local(path);
  send_with_fds(sender.get(), 'L', {listening.get()});
  EXPECT_EQ(receive(sender.get()), "K");
  listening.reset();
  EXPECT_EQ(inbox->listeners(), 1u);

  ScopedFd client = connect_tcp(port);
  ASSERT_TRUE(client);
  ASSERT_EQ(::send(client.get(), "hello", 5, 0), 5);
  EXPECT_EQ(receive(client.get()), "hello");

  sender.reset();
  EXPECT_EQ(receive(client.get()), "EOF") << "the connection outlived its listener";
  EXPECT_FALSE(connect_tcp(port)) << "the port is still open";
  EXPECT_EQ(inbox->listeners(), 0u);
}

TEST_F(ListenerInboxTest, TakesOrders) {
  auto opened = ListenerInbox::open(context, timers, path, nullptr, [](std::string_view text) -> Result<std::string> {
    if (text == "good") return std::string("answer");
    return error(Errc::invalid, "not {}", text);
  });
  ASSERT_TRUE(opened) << opened.error().reason;
  inbox = std::move(*opened);
  const std::pair<std::string, std::string> orders[] = {{"Cgood\n", "Kanswer"},
                                                        {"Cbad\n", "Enot bad"},
                                                        {"C\n", "Enot "},
                                                        {"L", "E'L' must carry exactly one listening TCP socket"}};
  for (const auto& [order, answer] : orders) {
    ScopedFd sender = connect_local(path);
    ASSERT_EQ(::send(sender.get(), order.data(), order.size(), 0), ssize_t(order.size()));
    EXPECT_EQ(receive(sender.get()), answer);
    EXPECT_EQ(receive(sender.get()), "EOF");
  }
  ScopedFd endless = connect_local(path);
  std::string line = "C" + std::string(ListenerInbox::kMaxCommandBytes + 10, 'x');
  for (size_t done = 0; done < line.size(); settle()) {
    const ssize_t sent = ::send(endless.get(), line.data() + done, line.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) break;
    done += size_t(sent);
  }
  EXPECT_EQ(receive(endless.get())[0], 'E');
  // No listener is served here.
  uint16_t port = 0;
  ScopedFd listening = tcp_socket(true, port);
  ScopedFd sender = connect_local(path);
  send_with_fds(sender.get(), 'L', {listening.get()});
  EXPECT_EQ(receive(sender.get())[0], 'E');
}

TEST_F(ListenerInboxTest, RefusesWhatIsNoListeningSocketWithASentence) {
  open();
  uint16_t port = 0;
  ScopedFd not_listening = tcp_socket(false, port);
  ScopedFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ScopedFd listening = tcp_socket(true, port);
  const std::vector<std::pair<char, std::vector<int>>> wrong = {
      {'L', {}},
      {'L', {not_listening.get()}},
      {'L', {file.get()}},
      {'L', {listening.get(), listening.get()}},
      {'X', {listening.get()}},
  };
  for (const auto& [verb, fds] : wrong) {
    ScopedFd sender = connect_local(path);
    send_with_fds(sender.get(), verb, fds);
    const std::string answer = receive(sender.get());
    ASSERT_GT(answer.size(), 1u);
    EXPECT_EQ(answer[0], 'E') << answer;
    EXPECT_EQ(receive(sender.get()), "EOF");
  }
  EXPECT_EQ(inbox->listeners(), 0u);
}

TEST_F(ListenerInboxTest, StoppingEndsTheListenersThatAreServed) {
  open();
  uint16_t port = 0;
  ScopedFd listening = tcp_socket(true, port);
  ScopedFd sender = connect_local(path);
  send_with_fds(sender.get(), 'L', {listening.get()});
  ASSERT_EQ(receive(sender.get()), "K");
  listening.reset();
  ASSERT_TRUE(connect_tcp(port));
  inbox->stop();
  EXPECT_EQ(receive(sender.get()), "EOF");
  EXPECT_FALSE(connect_tcp(port));
}

TEST_F(ListenerInboxTest, ReplacesADeadSocketFileButNotALivingOne) {
  open();
  const auto second = ListenerInbox::open(context, timers, path, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);

  const std::string stale = folder + "/stale.sock";
  {
    const auto address = local_address(stale);
    ScopedFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(fd.get(), address->get(), address->size()), 0);
  }
  auto replaced = ListenerInbox::open(context, timers, stale, {});
  ASSERT_TRUE(replaced) << replaced.error().reason;
  struct stat status;
  ASSERT_EQ(::stat(stale.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  (*replaced)->stop();
  settle();
}

TEST_F(ListenerInboxTest, LongPathsWork) {
  std::vector<std::string> made;
  std::string deep = folder;
  for (int i = 0; i < 3; ++i) {
    deep += "/" + std::string(60, 'd');
    ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
    made.push_back(deep);
  }
  path = deep + "/node.sock";
  open();
  ScopedFd sender = connect_local(path);
  send_with_fds(sender.get(), 'L', {});
  EXPECT_EQ(receive(sender.get()).substr(0, 1), "E");
  inbox->stop();
  settle();
  for (auto it = made.rbegin(); it != made.rend(); ++it) ::rmdir(it->c_str());
}

}  // namespace
}  // namespace pnfs::io
