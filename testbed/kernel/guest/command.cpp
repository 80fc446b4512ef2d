// The command itself.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/kernel/guest/guest.hpp"

namespace pnfs::guest {

namespace {

[[noreturn]] void become_command(const Settings& conf, Streams& streams) {
  ::setsid();
  streams.enter_child();
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

int run_command(const Settings& conf, Streams& streams) {
  if (conf.all("arg").empty()) return 0;
  const pid_t pid = fork_child();
  if (pid == 0) become_command(conf, streams);
  streams.leave_child();
  return streams.carry_until_end(pid);
}

}  // namespace pnfs::guest
