// Command numbering of one session (RFC 7143 4.2.2.1) without any I/O: which commands to take now, hold or ignore, and
// what ExpCmdSN and MaxCmdSN to tell.
#pragma once

#include <cstdint>

namespace pnfs::target {

// a < b in serial number arithmetic (RFC 1982).
inline bool sn_before(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) < 0;
}

class CommandWindow {
 public:
  enum class Verdict : uint8_t {
    deliver,
    hold,    // in the window, but earlier ones are missing
    ignore,  // outside the window: silently ignored
  };

  void start(uint32_t first, uint32_t depth) {
    expected_ = first;
    depth_ = depth;
    outstanding_ = 0;
  }

  Verdict classify(uint32_t cmd_sn, bool immediate) const {
    if (immediate) {
      // RFC 7143 4.2.2.1: immediate commands take no number, but stay within a window around it all the same.
      return Verdict::deliver;
    }
    if (cmd_sn == expected_ && !sn_before(max(), cmd_sn)) return Verdict::deliver;
    if (sn_before(cmd_sn, expected_) || sn_before(max(), cmd_sn)) return Verdict::ignore;
    return Verdict::hold;
  }

  // A non-immediate command with number expected() was taken.
  void advance() { ++expected_; }
  // Commands taken and not yet answered keep the window shut behind them.
  void begin() { ++outstanding_; }
  void end() { --outstanding_; }

  uint32_t expected() const { return expected_; }
  uint32_t max() const { return expected_ + (depth_ > outstanding_ ? depth_ - outstanding_ : 0) - 1; }
  uint32_t outstanding() const { return outstanding_; }

 private:
  uint32_t expected_ = 1;
  uint32_t depth_ = 1;
  uint32_t outstanding_ = 0;
};

}  // namespace pnfs::target
