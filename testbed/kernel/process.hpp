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
// A copy of a descriptor, above the standard ones, closed on exec.
Result<ScopedFd> lift(int fd);

// The kernel program, below a first process that only waits for it. Where that one is the first of a process namespace
// (`confined`: unshare(CLONE_NEWPID) came before), the system kills all of them when it ends, is killed, or this
// process dies. Where it is not, it kills the others itself: on SIGTERM, or when this process dies.
struct Confined {
  pid_t first = -1;
  ScopedFd pidfd;  // readable when all have ended
};
struct KernelPipes {
  int console, output, error_output;
  int input = -1;
};
Result<Confined> start_kernel(const Launch& launch, const KernelPipes& pipes, bool confined);

// A program with these descriptors as 0, 1, 2, 3 and nothing else inherited; it gets SIGTERM when we die.
Result<pid_t> start_program(const std::string& path, const std::vector<std::string>& arguments,
                            const std::vector<int>& descriptors);

// Runs a program to its end and gives its exit status (128 + signal when killed), its output in `output`.
Result<int> run_program(const std::vector<std::string>& arguments, std::string* output = nullptr);

}  // namespace pnfs::kernel
