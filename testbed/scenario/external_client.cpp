#include "testbed/scenario/external_client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iostream>

#include "common/base/scoped_fd.hpp"
#include "testbed/lab/interrupt.hpp"

namespace pnfs::scenario {

namespace {

using std::chrono::steady_clock;

std::string mount_options(const Scenario& scenario, const lab::Server& mds) {
  std::string options = fmt::format("vers={},port={}", scenario.vers, mds.port);
  if (!scenario.mount_options.empty()) options += "," + scenario.mount_options;
  return options;
}

// In a process group of its own, so that its end is the end of all that it started.
pid_t start_shell(const std::string& command, const std::vector<std::string>& environment, int input, int output) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  for (const std::string& each : environment) ::putenv(const_cast<char*>(each.c_str()));
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

// Reads until the end, the deadline or a signal. False: it did not end by itself.
bool collect(int from, steady_clock::time_point deadline, std::string& into) {
  while (!lab::interrupted() && steady_clock::now() < deadline) {
    pollfd wait{from, POLLIN, 0};
    if (::poll(&wait, 1, 200) <= 0) continue;
    char buffer[65536];
    const ssize_t got = ::read(from, buffer, sizeof buffer);
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) return true;
    if (got > 0) into.append(buffer, size_t(got));
  }
  return false;
}

Result<ObservedClient> run_command(const std::string& command, const std::vector<std::string>& environment,
                                   const std::string& script_file, unsigned timeout_seconds) {
  const ScopedFd script(::open(script_file.c_str(), O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (!script || ::pipe2(ends, O_CLOEXEC) != 0)
    return error(Errc::io, "starting '{}': {}", command, std::strerror(errno));
  const ScopedFd output(ends[0]);
  ScopedFd childs(ends[1]);
  const pid_t pid = start_shell(command, environment, script.get(), childs.get());
  if (pid < 0) return error(Errc::io, "starting '{}': {}", command, std::strerror(errno));
  childs.reset();
  ObservedClient client;
  const bool ended = collect(output.get(), steady_clock::now() + std::chrono::seconds(timeout_seconds), client.output);
  if (!ended) ::kill(-pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (lab::interrupted()) return error(Errc::cancelled, "interrupted");
  if (!ended)
    return error(Errc::timeout, "the client '{}' did not end within {} s; it said:\n{}", command, timeout_seconds,
                 client.output);
  client.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return client;
}

// A person carries it out.
Result<ObservedClient> ask(const Scenario& scenario, const lab::Server& mds, const std::string& script_file,
                           unsigned number) {
  fmt::print(
      "# {}: the part of client {}. On its machine, as root:\n#   sh {}\n# or, with a client of your own, mount it\n"
      "#   mount -t nfs4 -o {} {}:/ /mnt/pnfs\n# and do the same as\n",
      scenario.id, number, script_file, mount_options(scenario, mds), mds.address);
  std::istringstream lines(scenario.clients[number - 1]);
  for (std::string line; std::getline(lines, line);) fmt::print("#   {}\n", line);
  fmt::print("# Then type the exit code (0 when all of it went well) and Enter: ");
  std::fflush(stdout);
  ObservedClient client;
  std::string word;
  if (!(std::cin >> word)) return error(Errc::cancelled, "nobody said how the client ended");
  const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), client.exit_code);
  if (bad != std::errc{} || end != word.data() + word.size()) return error(Errc::invalid, "'{}' is no exit code", word);
  return client;
}

}  // namespace

std::string external_script(const Scenario& scenario, const lab::LabState& lab, unsigned number) {
  const lab::Server& mds = *lab.find("mds");
  return fmt::format(
      "#!/bin/sh\n# The part of client {} in pnfslab's scenario {}.\n"
      "mkdir -p /mnt/pnfs\nmount -t nfs4 -o {} {}:{} /mnt/pnfs || exit 32\n(\n{}\n)\ncode=$?\ncd /\numount /mnt/pnfs\n"
      "exit $code\n",
      number, scenario.id, mount_options(scenario, mds), mds.address, lab.export_path, scenario.clients[number - 1]);
}

Result<ObservedClient> run_external_client(const Scenario& scenario, const RunOptions& options,
                                           const lab::LabState& lab, unsigned number) {
  const lab::Server* mds = lab.find("mds");
  if (mds == nullptr) return error(Errc::not_found, "the lab has no metadata server");
  const std::string script_file = fmt::format("{}/client{}.sh", lab.folder, number);
  const std::string steps_file = fmt::format("{}/client{}.steps", lab.folder, number);
  std::ofstream(script_file) << external_script(scenario, lab, number);
  std::ofstream(steps_file) << scenario.clients[number - 1];
  if (options.client_command == kManualClient) return ask(scenario, *mds, script_file, number);
  const std::vector<std::string> environment = {
      fmt::format("PNFSLAB_ADDRESS={}", mds->address),
      fmt::format("PNFSLAB_PORT={}", mds->port),
      fmt::format("PNFSLAB_EXPORT={}", lab.export_path),
      fmt::format("PNFSLAB_MOUNT_OPTIONS={}", mount_options(scenario, *mds)),
      fmt::format("PNFSLAB_SCENARIO={}", scenario.id),
      fmt::format("PNFSLAB_CLIENT={}", number),
      fmt::format("PNFSLAB_SCRIPT={}", script_file),
      fmt::format("PNFSLAB_STEPS={}", steps_file),
      fmt::format("PNFSLAB_STATE={}", lab.folder),
  };
  return run_command(options.client_command, environment, script_file, scenario.timeout_seconds);
}

}  // namespace pnfs::scenario
