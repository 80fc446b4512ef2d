// pnfslab dlm-device: what `echo LINE >/proc/fs/nfsd/pnfs_dlm_device` was in 2014, on a running lab.
#include "testbed/cli/command.hpp"
#include "testbed/lab/lab_state.hpp"
#include "testbed/lab/node_command.hpp"

namespace pnfs::cli {

void add_dlm_device(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("dlm-device",
                                 "Show or rewrite the pnfs_dlm_device line: which servers layouts name, in which order\n"
                                 "Example: pnfslab dlm-device /dev/sdb:10.0.0.2,10.0.0.3");
  struct DlmOptions {
    std::string state = lab::default_state_folder();
    std::string line;
  };
  auto options = std::make_shared<DlmOptions>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("line", options->line, "<disk>:<ip>[,<ip>...]; shown when it is not given");
  sub->callback([options, &action] {
    action = [options]() -> int {
      const auto state = lab::load_state(options->state);
      if (!state) return report("dlm-device", state.error());
      const std::string command = options->line.empty() ? "dlm-device" : "dlm-device " + options->line;
      const auto answer = lab::send_command(state->socket_file("mds"), command);
      if (!answer) return report("dlm-device", answer.error());
      if (!answer->empty()) fmt::print("{}{}", *answer, answer->ends_with('\n') ? "" : "\n");
      return 0;
    };
  });
}

}  // namespace pnfs::cli
