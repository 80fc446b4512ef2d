// A program that runs beside a measurement: it ends with its owner, whatever happens to that, and its CPU time can be
// read while it runs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::bench {

struct ChildOptions {
  std::vector<std::string> command;      // argv; the first word is looked up in PATH
  std::vector<std::string> environment;  // "NAME=value", added
  std::string log_file;                  // stdout and stderr, truncated
};

class Child {
 public:
  static Result<Child> start(const ChildOptions& options);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), log_file_(std::move(other.log_file_)) {}
  Child& operator=(Child&&) = delete;
  ~Child() { kill(); }

  pid_t pid() const { return pid_; }
  const std::string& log_file() const { return log_file_; }
  // User and system time of all its threads so far, those that have ended included.
  std::chrono::nanoseconds cpu_time() const;
  bool running();
  // Waits for its end; the CPU time of its whole life. Errors: timeout (it is killed then), and io when it failed, with
  // its last words.
  Result<std::chrono::nanoseconds> finish(std::chrono::seconds limit);
  void kill();

 private:
  Child(pid_t pid, std::string log_file) : pid_(pid), log_file_(std::move(log_file)) {}
  pid_t pid_;
  std::string log_file_;
};

std::string read_text(const std::string& path);

// Of this process, all threads.
std::chrono::nanoseconds own_cpu_time();

}  // namespace pnfs::bench
