// Starting processes so that they cannot outlive their starter.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/scoped_fd.hpp"
#include "testbed/kernel/uml.hpp"

namespace pnfs::kernel {

struct Pipe {
  ScopedFd read_end, write_end;  // both above the standard descriptors, closed on exec
};
Result<Pipe> make_pipe();

// The kernel program as the second process of a new process namespace (unshare(CLONE_NEWPID) came before); the first
// one only waits for it. When the first ends, or is killed, or this process dies, the system kills all of them.
struct Confined {
  pid_t first = -1;
  ScopedFd pidfd;  // readable when all have ended
};
struct KernelPipes {
  int console, output, error_output;
};
Result<Confined> start_confined(const Launch& launch, const KernelPipes& pipes);

// A program with these descriptors as 0, 1, 2, 3 and nothing else inherited; it gets SIGTERM when we die.
Result<pid_t> start_program(const std::string& path, const std::vector<std::string>& arguments,
                            const std::vector<int>& descriptors);

// Runs a program to its end and gives its exit status (128 + signal when killed), its output in `output`.
Result<int> run_program(const std::vector<std::string>& arguments, std::string* output = nullptr);

}  // namespace pnfs::kernel
