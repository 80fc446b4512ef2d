#include "testbed/lab/daemon.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/process.hpp"
#include "common/base/scoped_fd.hpp"

namespace pnfs::lab {

namespace {

using Milliseconds = std::chrono::milliseconds;
constexpr int kReadyFd = 3;

std::string last_line(const std::string& file, std::streamoff from) {
  std::ifstream in(file);
  in.seekg(from);
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty()) last = line;
  return last;
}

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void run_child(char* const* argv, int log_fd, int ready_fd, bool ends_with_us,
                            const std::vector<ScopedFd>& namespaces) {
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  for (const ScopedFd& each : namespaces) {
    if (setns(each.get(), 0) == 0) continue;
    constexpr std::string_view kProblem = "cannot enter the namespaces of its host\n";
    (void)!write(STDERR_FILENO, kProblem.data(), kProblem.size());
    _exit(126);
  }
  if (ends_with_us) prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (ready_fd == kReadyFd) {
    fcntl(ready_fd, F_SETFD, 0);
  } else {
    dup2(ready_fd, kReadyFd);
  }
  // Nothing of ours beyond the three and the pipe may leak into a process that outlives us.
  close_range(kReadyFd + 1, ~0U, 0);
  execv(argv[0], argv);
  _exit(127);
}

// What the server said by then: "" for ready.
enum class Readiness { ready, ended, timeout };

Readiness wait_ready(int fd, Milliseconds timeout) {
  pollfd p{fd, POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - std::chrono::steady_clock::now());
    const int n = poll(&p, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (n == 0) return Readiness::timeout;
    if (n < 0) continue;
    char byte = 0;
    return read(fd, &byte, 1) == 1 ? Readiness::ready : Readiness::ended;
  }
}

}  // namespace

uint64_t process_start_time(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat && !stat->ended() ? stat->start_time : 0;
}

namespace {

struct Started {
  pid_t pid = -1;
  ScopedFd ready;  // readable when it is ready, at its end when it has gone
  std::streamoff log_start = 0;
};

Result<Started> start(const DaemonOptions& options, std::vector<std::string> words) {
  const std::string& program = options.command.front();
  if (access(program.c_str(), X_OK) != 0) {
    if (errno != ENOENT)
      return error(Errc::permission, "the program '{}' cannot be run: {}; may this user enter all folders above it?",
                   program, std::strerror(errno));
    return error(Errc::not_found, "the program '{}' is missing; build it with: cmake --build --preset release", program);
  }
  const ScopedFd log(open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log) return error(Errc::io, "cannot write the log '{}': {}", options.log_file, std::strerror(errno));
  Started started;
  started.log_start = lseek(log.get(), 0, SEEK_END);
  std::vector<ScopedFd> namespaces;
  for (const std::string& file : options.namespaces) {
    namespaces.emplace_back(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!namespaces.back()) return error(Errc::not_found, "cannot open '{}': {}", file, std::strerror(errno));
  }
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return error(Errc::io, "cannot make a pipe: {}", std::strerror(errno));
  started.ready.reset(pipe_fds[0]);
  const ScopedFd write_end(pipe_fds[1]);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  started.pid = fork();
  if (started.pid == 0) run_child(argv.data(), log.get(), write_end.get(), options.ends_with_us, namespaces);
  if (started.pid < 0) return error(Errc::io, "cannot start '{}': {}", program, std::strerror(errno));
  return started;
}

Error give_up(const DaemonOptions& options, const Started& started, bool timed_out) {
  const std::string name = std::filesystem::path(options.command.front()).filename();
  kill(started.pid, SIGKILL);
  waitpid(started.pid, nullptr, 0);
  const std::string said = last_line(options.log_file, started.log_start);
  if (timed_out) {
    return error(Errc::timeout, "{} did not become ready within {} s{}{}; its log is {}", name,
                 options.ready_timeout.count() / 1000, said.empty() ? "" : ": ", said, options.log_file);
  }
  return error(Errc::refused, "{}",
               said.empty() ? fmt::format("{} ended at once; its log is {}", name, options.log_file) : said);
}

}  // namespace

Result<pid_t> start_daemon(const DaemonOptions& options) {
  std::vector<std::string> words = options.command;
  words.insert(words.end(), {"--ready-fd", std::to_string(kReadyFd)});
  auto started = start(options, std::move(words));
  if (!started) return started.error();
  const Readiness readiness = wait_ready(started->ready.get(), options.ready_timeout);
  if (readiness == Readiness::ready) return started->pid;
  return give_up(options, *started, readiness == Readiness::timeout);
}

Result<void> run_to_end(const DaemonOptions& options) {
  const auto started = start(options, options.command);
  if (!started) return started.error();
  // It holds the pipe without knowing, so that its end is seen.
  if (wait_ready(started->ready.get(), options.ready_timeout) == Readiness::timeout)
    return give_up(options, *started, true);
  int status = 0;
  while (waitpid(started->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string said = last_line(options.log_file, started->log_start);
  return error(Errc::refused, "{}", said.empty() ? options.command.front() + " failed" : said);
}

bool stop_process(pid_t pid, uint64_t started, Milliseconds grace) {
  auto gone = [&] {
    waitpid(pid, nullptr, WNOHANG);  // where it is our child
    return process_start_time(pid) != started;
  };
  if (gone()) return true;
  kill(pid, SIGTERM);
  kill(pid, SIGCONT);  // one that was paused could not end
  const auto deadline = std::chrono::steady_clock::now() + grace;
  while (!gone() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(Milliseconds(10));
  if (gone()) return true;
  kill(pid, SIGKILL);
  for (int i = 0; i < 500 && !gone(); ++i) std::this_thread::sleep_for(Milliseconds(10));
  return false;
}

std::string program_folder() {
  std::error_code ec;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
  return self.parent_path();
}

}  // namespace pnfs::lab
