// pnfslab fsck: checks a volume without changing it.
#include "common/volume/fsck.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/hosts.hpp"
#include "testbed/lab/volume_tools.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string url;
  std::string state = default_state_folder();
  bool as_json = false;
};

int check(Options options) {
  if (options.url.empty()) {
    const auto lab = load_state(options.state);
    if (!lab) return report("fsck", lab.error());
    options.url = lab->store_url;
    if (auto joined = join_host(*lab, "mds"); !joined) return report("fsck", joined.error());
  }
  volume::FsckReport found;
  auto work = [&](block::BlockStore& store) -> io::Task<Result<void>> {
    auto result = co_await volume::fsck(store);
    if (!result) co_return result.error();
    found = std::move(*result);
    co_return Result<void>{};
  };
  if (const auto done = with_store(options.url, work); !done) return report("fsck", done.error());
  fmt::print("{}\n", options.as_json ? volume::to_json(found) : volume::to_text(found));
  return found.clean() ? 0 : kExitFailed;
}

}  // namespace

void add_fsck(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("fsck",
                                 "Check a volume; exit code 1 when something is wrong with it\n"
                                 "Example: pnfslab fsck --json");
  auto options = std::make_shared<Options>();
  sub->add_option("url", options->url, "iscsi://host[:port]/iqn/lun (default: the volume of the lab that is up)");
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_flag("--json", options->as_json, "Machine-readable");
  sub->callback([options, &action] { action = [options] { return check(*options); }; });
}

}  // namespace pnfs::cli
