// pnfslab capture: what the servers of a lab captured, as one pcapng file.
#include <filesystem>

#include "common/capture/merge.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  std::string state = lab::default_state_folder();
  std::string output;
  std::vector<std::string> files;
};

int write_merged(const Options& options) {
  std::vector<std::string> files = options.files;
  if (files.empty()) files = lab::files_of(options.state, "capture", ".pcapng");
  if (files.empty()) {
    return report("capture", error(Errc::not_found,
                                   "no capture in '{}'; servers write them when started with: pnfslab up --capture",
                                   options.state));
  }
  const auto merged = capture::merge(files, options.output);
  if (!merged) return report("capture", merged.error());
  fmt::print("{}: {} packets of {} nodes, {} with a comment\n", options.output, merged->packets, files.size(),
             merged->comments);
  return 0;
}

}  // namespace

void add_capture(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "capture",
      "Write what the servers captured as one pcapng file for wireshark\n"
      "Example: pnfslab up --capture; pnfslab client -- touch /mnt/pnfs/f; pnfslab capture -o run.pcapng\n"
      "Each node is an interface, each packet is there once; one that carries an error or was made by a\n"
      "fault rule says why in its comment (display filter: frame.comment)");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder; the lab may be down")->capture_default_str();
  sub->add_option("-o,--output", options->output, "The file to write")->required();
  sub->add_option("files", options->files, "Captures to merge (default: those of the state folder)");
  sub->callback([options, &action] { action = [options] { return write_merged(*options); }; });
}

}  // namespace pnfs::cli
