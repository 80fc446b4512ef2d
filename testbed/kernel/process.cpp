#include "testbed/kernel/process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace pnfs::kernel {

namespace {

constexpr int kPipeBytes = 1 << 20;
constexpr int kFirstOwnFd = 10;  // everything we open is at or above; the descriptors of a child are below

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

void default_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

[[noreturn]] void become_kernel(const Launch& launch, const KernelPipes& pipes) {
  ::setsid();  // a kernel that panics signals its whole process group
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // A random gap behind the program is counted as physical memory: up to a gigabyte of page descriptors to initialise.
  ::personality(ADDR_NO_RANDOMIZE);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(pipes.console, 1);
  ::dup2(pipes.console, kConsoleFd);
  ::dup2(pipes.output, kOutputFd);
  ::dup2(pipes.error_output, kErrorOutputFd);
  if (pipes.input >= 0) ::dup2(pipes.input, kInputFd);
  ::close_range((pipes.input >= 0 ? kInputFd : kErrorOutputFd) + 1, ~0U, 0);
  std::vector<std::string> arguments = launch.arguments;
  std::vector<std::string> environment = launch.environment;
  environment.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!launch.working_directory.empty() && ::chdir(launch.working_directory.c_str()) != 0) ::_exit(127);
  ::execve(arguments[0].c_str(), pointers(arguments).data(), pointers(environment).data());
  ::dprintf(2, "cannot run %s: %s\n", arguments[0].c_str(), std::strerror(errno));
  ::_exit(127);
}

[[noreturn]] void be_first(const Launch& launch, const KernelPipes& pipes, bool confined) {
  sigset_t watched;
  ::sigemptyset(&watched);
  if (!confined)
    for (const int number : {SIGCHLD, SIGTERM}) ::sigaddset(&watched, number);
  ::sigprocmask(SIG_SETMASK, &watched, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, confined ? SIGKILL : SIGTERM);
  const pid_t kernel = ::fork();
  if (kernel == 0) {
    default_signals();
    if (!confined) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    become_kernel(launch, pipes);
  }
  ::close_range(0, ~0U, 0);  // the pipes end when the kernel does
  bool ended = false;
  while (!ended) {
    int number = SIGCHLD;
    if (!confined) ::sigwait(&watched, &number);
    const pid_t got = ::waitpid(-1, nullptr, confined ? 0 : WNOHANG);
    ended = number == SIGTERM || got == kernel || (got < 0 && errno == ECHILD);
  }
  // The kernel made itself the leader of a group in which its processes stay.
  if (!confined) {
    ::kill(-kernel, SIGKILL);
    ::kill(kernel, SIGKILL);
  }
  ::_exit(0);
}

int exit_status(int raw) {
  return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

}  // namespace

Result<ScopedFd> lift(int fd) {
  ScopedFd high(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwnFd));
  if (!high) return error(Errc::io, "duplicating a descriptor: {}", std::strerror(errno));
  return high;
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error(Errc::io, "making a pipe: {}", std::strerror(errno));
  // A guest writes through a small buffer and waits for each time it is emptied; room here spares it the waiting.
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  const ScopedFd low_read(ends[0]), low_write(ends[1]);
  auto read_end = lift(low_read.get());
  auto write_end = lift(low_write.get());
  if (!read_end) return read_end.error();
  if (!write_end) return write_end.error();
  return Pipe{std::move(*read_end), std::move(*write_end)};
}

Result<Confined> start_kernel(const Launch& launch, const KernelPipes& pipes, bool confine) {
  Confined confined;
  confined.first = ::fork();
  if (confined.first == 0) be_first(launch, pipes, confine);
  if (confined.first < 0) return error(Errc::io, "starting the kernel: {}", std::strerror(errno));
  confined.pidfd = ScopedFd(int(::syscall(SYS_pidfd_open, confined.first, 0)));
  if (!confined.pidfd) {
    const int why = errno;
    ::kill(confined.first, SIGKILL);
    ::waitpid(confined.first, nullptr, 0);
    return error(Errc::unsupported, "watching the kernel's process (pidfd_open, Linux 5.3): {}", std::strerror(why));
  }
  return confined;
}

Result<pid_t> start_program(const std::string& path, const std::vector<std::string>& arguments,
                            const std::vector<int>& descriptors) {
  std::vector<std::string> words{path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  for (size_t i = 0; i < descriptors.size(); ++i) ::posix_spawn_file_actions_adddup2(&files, descriptors[i], int(i));
  ::posix_spawn_file_actions_addclosefrom_np(&files, int(descriptors.size()));
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, path.c_str(), &files, &attributes, pointers(words).data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) return error(Errc::io, "starting {}: {}", path, std::strerror(failed));
  return pid;
}

Result<int> run_program(const std::vector<std::string>& arguments, std::string* output) {
  auto pipe = make_pipe();
  if (!pipe) return pipe.error();
  const ScopedFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  // env(1) finds the program along PATH.
  const auto pid = start_program("/usr/bin/env", arguments, {null.get(), pipe->write_end.get(), pipe->write_end.get()});
  if (!pid) return pid.error();
  pipe->write_end.reset();
  char buffer[8192];
  for (ssize_t got; (got = ::read(pipe->read_end.get(), buffer, sizeof buffer)) > 0;)
    if (output != nullptr) output->append(buffer, size_t(got));
  int raw = 0;
  while (::waitpid(*pid, &raw, 0) < 0 && errno == EINTR) {
  }
  return exit_status(raw);
}

}  // namespace pnfs::kernel
