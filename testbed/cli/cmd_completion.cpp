// pnfslab completion: what bash, zsh and fish need to complete its command line.
#include "testbed/cli/command.hpp"
#include "testbed/cli/completion.hpp"

namespace pnfs::cli {

void add_completion(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("completion",
                                 "Print the completion script of a shell\n"
                                 "Example: source <(pnfslab completion bash)\n"
                                 "zsh: pnfslab completion zsh >~/.zfunc/_pnfslab, with ~/.zfunc in fpath before compinit.\n"
                                 "fish: pnfslab completion fish | source. An installation has all three");
  auto shell = std::make_shared<std::string>();
  sub->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  sub->callback([shell, &app, &action] {
    action = [shell, &app] {
      fmt::print("{}", *shell == "bash" ? bash_completion(app) : *shell == "zsh" ? zsh_completion(app) : fish_completion(app));
      return 0;
    };
  });
}

}  // namespace pnfs::cli
