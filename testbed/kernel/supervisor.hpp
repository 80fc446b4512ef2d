// The process that stands between a caller and a guest's kernel (program pnfs-guest). It is single-threaded, because it
// changes its namespaces, and separate, so that whatever happens to the caller the guest ends.
//
// Descriptor 0: the options (a decimal length, a newline, Settings), then nothing; its end is the order to stop.
// Descriptors 1 and 2: the command's output. Descriptor 3: two records (length, newline, Settings): "started" or an
// error, and at the end the result.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "testbed/kernel/process.hpp"
#include "testbed/kernel/settings.hpp"
#include "testbed/kernel/sockets.hpp"

namespace pnfs::kernel {

class Supervisor {
 public:
  explicit Supervisor(Settings options) : options_(std::move(options)) {}

  // Up to the running kernel.
  Result<void> start();
  // Until it has ended.
  Settings supervise();

 private:
  Result<void> make_network();
  Result<void> offer_listeners();
  Result<void> write_configuration();
  Result<void> launch();

  // The loop of supervise(): one poll, and what came of it.
  void step();
  void on_console();
  void relay(ScopedFd& from, int to);
  void offer_again();
  void end(const char* outcome, std::string reason);
  Duration until_next_deadline() const;

  Settings options_;
  SystemClock clock_;
  KernelImage kernel_;
  std::string guest_folder_;
  std::string run_folder_;
  std::string server_address_;
  std::string guest_address_;
  std::vector<ListenerOffer> offers_;
  ScopedFd signals_;
  Confined confined_;
  ScopedFd console_pipe_, output_pipe_, error_pipe_;
  std::string console_;

  bool running_ = false;
  std::string outcome_;  // why we ended the guest; empty: it ended by itself
  std::string reason_;
  TimePoint started_, deadline_, booted_;
  std::optional<TimePoint> panic_deadline_;
  TimePoint next_offer_;
};

// Records on a descriptor.
Result<Settings> read_record(int fd, Duration timeout);
Result<void> write_record(int fd, const Settings& record);

}  // namespace pnfs::kernel
