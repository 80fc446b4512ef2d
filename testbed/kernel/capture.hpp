// Records the packets of one interface into a pcap file. A process of its own does it, so that nothing that the
// supervisor waits for can make it lose one: it reads a ring that the kernel fills (TPACKET_V3).
#pragma once

#include <sys/types.h>

#include <string>

#include "common/base/result.hpp"
#include "common/base/scoped_fd.hpp"

namespace pnfs::kernel {

class Capture {
 public:
  Capture() = default;
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Creates the file and starts the process. Before namespaces are entered: the file is the caller's.
  Result<void> prepare(const std::string& file);
  // From its return on, every packet of this network's `interface` is recorded.
  Result<void> begin(const std::string& interface);

  struct Counts {
    uint64_t packets = 0;
    uint64_t dropped = 0;  // that the ring had no room for
  };
  // Records what has come so far and closes the file.
  Result<Counts> end();

  bool prepared() const { return pid_ > 0; }

 private:
  pid_t pid_ = -1;
  ScopedFd control_;
};

}  // namespace pnfs::kernel
