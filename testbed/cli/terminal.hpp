// The user's terminal, handed over to a guest for a while.
#pragma once

#include <termios.h>

namespace pnfs::cli {

// Raw while it exists: every key, Ctrl-C too, is the guest's.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  int fd_;
  bool changed_;
  termios before_{};
};

struct TerminalSize {
  unsigned rows = 24, columns = 80;
};
TerminalSize terminal_size(int fd);

}  // namespace pnfs::cli
