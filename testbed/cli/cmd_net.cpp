// pnfslab net: what the network does to the hosts of a lab.
#include "testbed/cli/command.hpp"
#include "testbed/lab/net_control.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string state = default_state_folder();
  std::vector<std::string> words;
};

int net(const Options& options) {
  std::string text;
  for (const std::string& word : options.words) text += (text.empty() ? "" : " ") + word;
  const auto fault = parse_net_fault(text);
  if (!fault) return report("net", fault.error());
  auto lab = load_state(options.state);
  if (!lab) return report("net", lab.error());
  const auto done = apply(*lab, *fault);
  return done ? 0 : report("net", done.error());
}

}  // namespace

void add_net(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("net",
                                 "Let the network do something to hosts (up --topology hosts)\n"
                                 "Example: pnfslab net loss ds1 on nfs 30% && sleep 10 && pnfslab net heal\n"
                                 "  refuse HOST [on NET]       new connections to it are refused\n"
                                 "  reset HOST [on NET]        whatever is sent over TCP is answered by a reset\n"
                                 "  blackhole HOST [on NET]    what is sent to it or by it disappears\n"
                                 "  loss HOST [on NET] 30%     that share of what is sent to it disappears\n"
                                 "  rate HOST [on NET] 10mbit  it sends no faster than that\n"
                                 "  partition HOST [on NET]    its cable is pulled; partition NET: the whole network\n"
                                 "  heal [HOST]                end of all that\n"
                                 "  pause, resume, kill, start HOST   its server; also in a lab without hosts\n"
                                 "HOST: target, mds, ds1, ds2..., client. NET: san or nfs; both when left out");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("words", options->words, "What, to which host")->required();
  sub->callback([options, &action] { action = [options] { return net(*options); }; });
}

}  // namespace pnfs::cli
