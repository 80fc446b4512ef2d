// pnfslab exec: a command on one of the hosts of a lab.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "testbed/cli/command.hpp"
#include "testbed/lab/hosts.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

constexpr int kExitNoProgram = 127;  // as sh has it

struct Options {
  std::string state = default_state_folder();
  std::string host;
  std::vector<std::string> command;
};

int exec(Options options) {
  const auto lab = load_state(options.state);
  if (!lab) return report("exec", lab.error());
  if (!lab->network) {
    return report("exec", error(Errc::invalid,
                                "the servers of this lab share this machine's network; hosts come with: pnfslab up "
                                "--topology hosts"));
  }
  if (auto joined = join_host(*lab, options.host); !joined) return report("exec", joined.error());
  std::vector<char*> words;
  for (std::string& word : options.command) words.push_back(word.data());
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  fmt::print(stderr, "pnfslab exec: cannot run '{}': {}\n", options.command.front(), std::strerror(errno));
  return kExitNoProgram;
}

}  // namespace

void add_exec(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("exec",
                                 "Run a command in the network of a host (up --topology hosts)\n"
                                 "Example: pnfslab exec client -- ping -c 1 172.28.2.11\n"
                                 "Hosts: target, mds, ds1, ds2..., client; switch is where the bridges are");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("host", options->host, "Which host")->required();
  sub->add_option("command", options->command, "The command, after --")->required();
  sub->callback([options, &action] { action = [options] { return exec(*options); }; });
}

}  // namespace pnfs::cli
