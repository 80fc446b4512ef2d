#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

constexpr size_t kMostPending = 65536;  // of input: beyond it the line waits
constexpr int kFinishMs = 10'000;

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// A serial line without any of a terminal's manners. Its settings last as long as it is open somewhere.
int open_line(const std::string& name, int mode) {
  const int fd = ::open(name.c_str(), mode | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -1;
  termios raw{};
  ::tcgetattr(fd, &raw);
  ::cfmakeraw(&raw);
  ::tcsetattr(fd, TCSANOW, &raw);
  return fd;
}

// The two ends of a terminal of its own; false when there is none to be had.
bool open_terminal(const Settings& conf, int& ours, int& childs) {
  ours = ::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  int locked = 0, number = 0;
  if (ours < 0 || ::ioctl(ours, TIOCSPTLCK, &locked) != 0 || ::ioctl(ours, TIOCGPTN, &number) != 0) return false;
  winsize size{};
  size.ws_row = static_cast<unsigned short>(conf.number("rows", 24));
  size.ws_col = static_cast<unsigned short>(conf.number("columns", 80));
  ::ioctl(ours, TIOCSWINSZ, &size);
  childs = ::open(("/dev/pts/" + std::to_string(number)).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  return childs >= 0;
}

}  // namespace

Streams::Streams(const Settings& conf) {
  // Without a console init has no standard descriptors, and what is opened here would become them.
  for (int fd = 0; fd >= 0 && fd <= 2;) {
    fd = ::open("/dev/null", O_RDWR);
    if (fd > 2) ::close(fd);
  }
  outputs_[0].line = open_line(conf.get("output", "/dev/ttyS0"), O_WRONLY);
  outputs_[1].line = open_line(conf.get("error_output", "/dev/ttyS1"), O_WRONLY);
  if (conf.number("input") != 0) input_line_ = open_line("/dev/ttyS2", O_RDONLY | O_NONBLOCK);
  input_ended_ = input_line_ < 0;
  sigset_t child_signal;
  ::sigemptyset(&child_signal);
  ::sigaddset(&child_signal, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child_signal, nullptr);
  children_ = ::signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);

  if (int ours = -1; conf.number("tty") != 0 && open_terminal(conf, ours, child_[0])) {
    terminal_ = true;
    outputs_[0].from = ours;
    input_ = ::fcntl(ours, F_DUPFD_CLOEXEC, 0);
  } else {
    int in[2], out[2], err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) return;
    child_[0] = in[0];
    child_[1] = out[1];
    child_[2] = err[1];
    input_ = in[1];
    outputs_[0].from = out[0];
    outputs_[1].from = err[0];
    ::fcntl(input_, F_SETFL, O_NONBLOCK);
  }
}

void Streams::enter_child() {
  // The signal is what a command that reads no more would get on any other machine.
  ::signal(SIGPIPE, SIG_DFL);
  if (terminal_) ::ioctl(child_[0], TIOCSCTTY, 0);
  for (int fd = 0; fd < 3; ++fd) ::dup2(terminal_ ? child_[0] : child_[fd], fd);
}

void Streams::leave_child() {
  ::signal(SIGPIPE, SIG_IGN);
  for (int& fd : child_) close_fd(fd);
}

void Streams::carry_output(Output& output) {
  char buffer[65536];
  const ssize_t got = ::read(output.from, buffer, sizeof buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) return close_fd(output.from);  // a terminal whose last user has gone says EIO
  for (ssize_t done = 0; done < got;) {
    const ssize_t wrote = ::write(output.line >= 0 ? output.line : 2, buffer + done, size_t(got - done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    done += wrote;
  }
}

void Streams::take_input() {
  char buffer[4096];
  const ssize_t got = ::read(input_line_, buffer, sizeof buffer);
  if (got <= 0) return;
  pieces_.append(buffer, size_t(got));
  while (pieces_.size() >= 2 && !input_ended_) {
    const size_t length = size_t(static_cast<unsigned char>(pieces_[0])) * 256 + static_cast<unsigned char>(pieces_[1]);
    if (pieces_.size() < 2 + length) return;
    input_bytes_.append(pieces_, 2, length);
    pieces_.erase(0, 2 + length);
    input_ended_ = length == 0;
  }
}

void Streams::give_input() {
  if (!input_bytes_.empty()) {
    const ssize_t wrote = ::write(input_, input_bytes_.data(), input_bytes_.size());
    if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
      // Nobody reads it: what still comes is thrown away.
      close_fd(input_);
      input_bytes_.clear();
    }
    if (wrote > 0) input_bytes_.erase(0, size_t(wrote));
  }
  // A terminal's input has no end that one could close; the child sees what a typed Ctrl-D would give.
  if (!input_ended_ || !input_bytes_.empty() || input_ < 0) return;
  if (terminal_) [[maybe_unused]]
    const auto ignored = ::write(input_, "\4", 1);
  close_fd(input_);
}

// Waits for something to carry, and carries it. True while there is output to come.
bool Streams::carry(int timeout_ms) {
  if (input_ended_ && input_bytes_.empty()) give_input();
  const bool takes = input_line_ >= 0 && !input_ended_ && input_bytes_.size() < kMostPending;
  pollfd waits[] = {{children_, POLLIN, 0},
                    {outputs_[0].from, POLLIN, 0},
                    {outputs_[1].from, POLLIN, 0},
                    {takes ? input_line_ : -1, POLLIN, 0},
                    {input_bytes_.empty() ? -1 : input_, POLLOUT, 0}};
  if (::poll(waits, 5, timeout_ms) <= 0) return outputs_[0].from >= 0 || outputs_[1].from >= 0;
  signalfd_siginfo ended;
  if (waits[0].revents != 0) [[maybe_unused]]
    const auto ignored = ::read(children_, &ended, sizeof ended);
  for (int i = 0; i < 2; ++i)
    if (waits[1 + i].revents != 0) carry_output(outputs_[i]);
  if (waits[3].revents != 0) take_input();
  if (waits[4].revents != 0 || input_ended_) give_input();
  return outputs_[0].from >= 0 || outputs_[1].from >= 0;
}

int Streams::carry_until_end(pid_t pid) {
  int status = 0;
  while (!reap(pid, status)) carry(1000);
  return status;
}

void Streams::finish() {
  leave_child();
  timespec begun{}, now{};
  ::clock_gettime(CLOCK_MONOTONIC, &begun);
  do {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec - begun.tv_sec < kFinishMs / 1000 && carry(100));
  const pid_t pid = fork_child();
  if (pid == 0) {
    for (const Output& output : outputs_)
      if (output.line >= 0) ::tcdrain(output.line);
    ::_exit(0);
  }
  wait_child(pid, kFinishMs);
}

}  // namespace pnfs::guest
