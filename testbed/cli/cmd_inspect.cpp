// pnfslab inspect: the volume as a read-only file system, read from the LUN itself.
#include "testbed/cli/command.hpp"
#include "testbed/inspect/mount.hpp"
#include "testbed/lab/lab_state.hpp"
#include "testbed/lab/volume_tools.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string url;
  std::string state = default_state_folder();
  inspect::MountOptions mount;
};

int show(Options options) {
  if (options.url.empty()) {
    const auto lab = load_state(options.state);
    if (!lab) return report("inspect", lab.error());
    options.url = lab->store_url;
  }
  const auto done = with_open_store(options.url, [&](OpenStore& open) -> Result<void> {
    inspect::View view(open.context, open.timers, *open.store);
    // A LUN that is no volume is refused before anything is mounted.
    if (auto found = view.attributes("/volume/superblock.json"); !found) return found.error();
    return inspect::serve(view, options.mount);
  });
  return done ? 0 : report("inspect", done.error());
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("inspect",
                                 "Show the volume as a read-only file system (FUSE), with or without servers\n"
                                 "Example: mkdir view; pnfslab inspect view & ls view/files");
  auto options = std::make_shared<Options>();
  sub->add_option("directory", options->mount.directory, "Where to mount it")->required();
  sub->add_option("--store", options->url, "iscsi://host[:port]/iqn/lun (default: the volume of the lab that is up)");
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_flag("--allow-other", options->mount.allow_other, "Other users may look too");
  sub->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace pnfs::cli
