#include "testbed/cli/terminal.hpp"

#include <sys/ioctl.h>

namespace pnfs::cli {

RawTerminal::RawTerminal(int fd) : fd_(fd), changed_(tcgetattr(fd, &before_) == 0) {
  if (!changed_) return;
  termios raw = before_;
  cfmakeraw(&raw);
  tcsetattr(fd, TCSANOW, &raw);
}

RawTerminal::~RawTerminal() {
  if (changed_) tcsetattr(fd_, TCSANOW, &before_);
}

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

}  // namespace pnfs::cli
