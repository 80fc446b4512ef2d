#include "testbed/bench/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace pnfs::bench {

namespace {

std::chrono::nanoseconds to_duration(const timeval& t) {
  return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of(" \r\n");
  if (end == text.npos) return "it said nothing";
  const size_t begin = text.find_last_of("\r\n", end);
  return text.substr(begin == text.npos ? 0 : begin + 1, end - (begin == text.npos ? 0 : begin + 1) + 1);
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<Child> Child::start(const ChildOptions& options) {
  std::vector<std::string> words = options.command;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = options.environment;
  int failed[2];  // tells why exec failed; closed by a successful one
  if (pipe2(failed, O_CLOEXEC) != 0) return error(Errc::io, "cannot make a pipe: {}", std::strerror(errno));
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    for (std::string& variable : variables) putenv(variable.data());
    const int null = open("/dev/null", O_RDONLY);
    const int log = open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execvp(argv[0], argv.data());
    const int why = errno;
    [[maybe_unused]] const auto ignored = write(failed[1], &why, sizeof why);
    _exit(127);
  }
  close(failed[1]);
  int why = 0;
  const bool refused = pid > 0 && read(failed[0], &why, sizeof why) == sizeof why;
  close(failed[0]);
  if (pid < 0) return error(Errc::io, "cannot start '{}': {}", words[0], std::strerror(errno));
  if (refused) {
    waitpid(pid, nullptr, 0);
    return error(why == ENOENT ? Errc::not_found : Errc::io, "cannot start '{}': {}", words[0], std::strerror(why));
  }
  return Child(pid, options.log_file);
}

std::chrono::nanoseconds Child::cpu_time() const {
  // In nanoseconds, unlike the clock ticks of /proc/PID/stat.
  clockid_t clock{};
  timespec now{};
  if (pid_ <= 0 || clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &now) != 0) return {};
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool Child::running() {
  return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0;
}

Result<std::chrono::nanoseconds> Child::finish(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int status = 0;
  rusage usage{};
  pid_t got = 0;
  while ((got = wait4(pid_, &status, WNOHANG, &usage)) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      kill();
      return error(Errc::timeout, "{} s were not enough; {}", limit.count(), last_line(read_text(log_file_)));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  pid_ = -1;
  if (got < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return error(Errc::io, "it failed: {}", last_line(read_text(log_file_)));
  return to_duration(usage.ru_utime) + to_duration(usage.ru_stime);
}

void Child::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::chrono::nanoseconds own_cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace pnfs::bench
