// pnfslab down: ends the servers of a lab, data servers first, so that each can still give back what it holds.
#include <filesystem>

#include "testbed/cli/command.hpp"
#include "testbed/lab/daemon.hpp"
#include "testbed/lab/lab.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string state = default_state_folder();
  bool purge = false;
};

int down(const Options& options) {
  auto state = load_state(options.state);
  if (!state) return report("down", state.error());
  const size_t killed = stop_lab(*state);
  remove_state(options.state);
  if (options.purge) {
    std::error_code ignored;
    std::filesystem::remove_all(options.state, ignored);
  }
  if (killed != 0) {
    fmt::print(stderr, "pnfslab down: {} server(s) did not end when asked and were killed; see {}/log\n", killed,
               options.state);
    return kExitFailed;
  }
  return 0;
}

}  // namespace

void add_down(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("down",
                                 "End the servers of a lab; the volume stays for the next `up`\n"
                                 "Example: pnfslab down --purge");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_flag("--purge", options->purge, "Remove the state folder too: LUN image, logs and traces");
  sub->callback([options, &action] { action = [options] { return down(*options); }; });
}

}  // namespace pnfs::cli
