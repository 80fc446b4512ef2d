// The thread that makes lines of packed events and appends them to the trace file, so that the thread that serves
// clients does not.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "common/io/append_fd.hpp"
#include "common/trace/packed.hpp"

namespace pnfs::trace {

// Owner: a FileSink, which alone calls it, from its one thread. The thread lives as long as this and touches nothing but
// the batches it was given and the file; it takes no signals.
// Bounds: kWaiting batches; whoever has more to write waits.
class LineWriter {
 public:
  static constexpr size_t kWaiting = 8;

  // `node` is for events that have none.
  LineWriter(io::AppendFd file, std::string node);
  // Everything that was given is in the file.
  ~LineWriter();

  // Takes what is in the batch, all of which gets to the file in the order of the calls, and leaves it empty.
  void take(Batch& batch);
  // Until all that was given is in the file.
  void drain();
  bool given_up() const { return file_.given_up(); }

 private:
  static constexpr size_t kWriteBytes = 64 * 1024;

  void run();
  void write_lines(const Batch& batch);

  io::AppendFd file_;
  const std::string node_;
  std::string lines_;  // of the thread
  std::mutex mutex_;   // all below
  std::condition_variable given_, done_;
  std::deque<Batch> waiting_;
  std::vector<Batch> spare_;  // their memory is used again
  bool writing_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace pnfs::trace
