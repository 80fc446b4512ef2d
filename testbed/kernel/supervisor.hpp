// The process that stands between a caller and a guest's kernel (program pnfs-guest). It is single-threaded, because it
// changes its namespaces, and separate, so that whatever happens to the caller the guest ends.
//
// Descriptor 0: the options (a decimal length, a newline, Settings), then nothing; its end is the order to stop.
// Descriptors 1 and 2: the command's output. Descriptor 4, when the options say so: its input. Descriptor 3: two
// records (length, newline, Settings): "started" or an error, and at the end the result.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "testbed/kernel/capture.hpp"
#include "testbed/kernel/process.hpp"
#include "testbed/kernel/qemu.hpp"
#include "testbed/kernel/settings.hpp"
#include "testbed/kernel/sockets.hpp"
#include "testbed/kernel/surroundings.hpp"

namespace pnfs::kernel {

class Supervisor {
 public:
  explicit Supervisor(Settings options) : options_(std::move(options)) {}
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Up to the running kernel.
  Result<void> start();
  // Until it has ended.
  Settings supervise();

 private:
  Result<void> make_surroundings();
  Result<void> add_server_addresses();
  Result<void> offer_listeners();
  Result<void> write_configuration();
  Result<void> prepare_machine(std::string& initramfs);
  Result<void> launch();
  void save_machine();
  Result<void> make_go_pipe();
  void wake_machine();

  // The loop of supervise(): one poll, and what came of it.
  void step();
  void on_console();
  void relay(ScopedFd& from, int to);
  void take_input();
  void give_input();
  void offer_again();
  void end(const char* outcome, std::string reason);
  Duration until_next_deadline() const;

  Settings options_;
  SystemClock clock_;
  KernelImage kernel_;
  std::string guest_folder_;
  Start start_ = Start::boot;  // of a QEMU machine
  Snapshot snapshot_;
  bool saved_ = false;
  ScopedFd go_;  // a restored machine is told to go on until it does
  TimePoint next_go_;
  Surroundings around_;
  Capture capture_;
  std::vector<ListenerOffer> offers_;
  ScopedFd signals_;
  Confined confined_;
  ScopedFd console_pipe_, output_pipe_, error_pipe_;
  ScopedFd input_, input_pipe_;  // from the caller; to the kernel, which takes its end for a broken line
  std::string pending_input_;
  std::string console_;

  bool running_ = false;
  bool has_input_ = false;
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
