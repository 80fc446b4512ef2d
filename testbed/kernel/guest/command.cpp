// The command itself. Its output leaves through two serial lines that the runner reads as pipes.
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

constexpr const char* kOutput = "/dev/ttyS0";
constexpr const char* kErrorOutput = "/dev/ttyS1";

[[noreturn]] void become_command(const Settings& conf) {
  const int in = ::open("/dev/null", O_RDONLY);
  const int out = ::open(kOutput, O_WRONLY | O_NOCTTY);
  const int err = ::open(kErrorOutput, O_WRONLY | O_NOCTTY);
  ::setsid();
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  for (const int fd : {in, out, err})
    if (fd > 2) ::close(fd);
  ::clearenv();
  ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  ::setenv("HOME", "/root", 1);
  ::setenv("TERM", "dumb", 1);
  for (const std::string& variable : conf.all("env")) {
    const size_t equals = variable.find('=');
    if (equals != std::string::npos)
      ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  if (const std::string folder = conf.get("working_directory", "/"); ::chdir(folder.c_str()) != 0)
    ::dprintf(2, "pnfslab: cannot change to %s: %s\n", folder.c_str(), std::strerror(errno));

  std::vector<std::string> words = conf.all("arg");
  if (words.size() == 1) words = {"/bin/sh", "-c", words[0]};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  const int why = errno;
  ::dprintf(2, "pnfslab: cannot run %s: %s\n", argv[0], std::strerror(why));
  ::_exit(why == ENOENT ? 127 : 126);
}

}  // namespace

int run_command(const Settings& conf) {
  if (conf.all("arg").empty()) return 0;
  const pid_t pid = fork_child();
  if (pid == 0) become_command(conf);
  return wait_child(pid, 0).status;
}

void prepare_terminals() {
  for (const char* name : {kOutput, kErrorOutput}) {
    // Settings last as long as the line is open somewhere: keep it open.
    const int fd = ::open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) continue;
    termios raw{};
    ::tcgetattr(fd, &raw);
    ::cfmakeraw(&raw);
    ::tcsetattr(fd, TCSANOW, &raw);
  }
}

void drain_terminals() {
  const pid_t pid = fork_child();
  if (pid == 0) {
    for (const char* name : {kOutput, kErrorOutput}) ::tcdrain(::open(name, O_WRONLY | O_NOCTTY));
    ::_exit(0);
  }
  wait_child(pid, 10'000);
}

}  // namespace pnfs::guest
