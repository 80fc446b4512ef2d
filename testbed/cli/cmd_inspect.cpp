// pnfslab inspect: the volume and the state of its servers as a file system, read from the LUN itself.
#include "testbed/cli/command.hpp"
#include "testbed/inspect/fuse_server.hpp"
#include "testbed/lab/hosts.hpp"
#include "testbed/lab/volume_tools.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

// Who looks at a file system waits inside a system call: a LUN that is away is an error soon.
constexpr std::chrono::seconds kRetryWhileLooking{3};
// Servers that do not answer keep a helper for up to ten seconds each.
constexpr size_t kHelpers = 4;

struct Options {
  std::string url;
  std::string state = default_state_folder();
  inspect::MountOptions mount;
};

// A LUN that is no volume is refused before anything is mounted.
Result<void> look_once(OpenStore& open, inspect::Source& source) {
  std::optional<Result<inspect::Picture>> found;
  boost::asio::co_spawn(open.context, source.fresh(), [&](const std::exception_ptr& failure, Result<inspect::Picture> picture) {
    if (failure) std::rethrow_exception(failure);
    found.emplace(std::move(picture));
  });
  open.context.restart();
  while (!found && open.context.run_one() > 0) {
  }
  if (!found) return error(Errc::io, "looking at {} did not end", open.store->name());
  return *found ? Result<void>{} : found->error();
}

int show(Options options) {
  const auto lab = load_state(options.state);
  if (options.url.empty()) {
    if (!lab) return report("inspect", lab.error());
    options.url = lab->store_url;
    if (auto joined = join_host(*lab, "mds"); !joined) return report("inspect", joined.error());
  }
  // live/ and control/ are of the servers of this volume, not of whatever lab happens to be up.
  const bool same = !lab || lab->store_url == options.url;
  const inspect::LabSide servers(same ? options.state : std::string());
  const auto done = with_open_store(
      options.url,
      [&](OpenStore& open) -> Result<void> {
        inspect::Source source(open.timers, *open.store);
        if (auto looked = look_once(open, source); !looked) return looked;
        boost::asio::thread_pool helpers(kHelpers);
        inspect::Tree tree(source, servers, helpers);
        auto ready = [&] {
          fmt::print("showing {} (end it with Ctrl-C or: fusermount3 -u {})\n", options.mount.directory,
                     options.mount.directory);
          std::fflush(stdout);
        };
        auto served = inspect::serve(open.context, tree, options.mount, ready);
        helpers.join();
        return served;
      },
      kRetryWhileLooking);
  return done ? 0 : report("inspect", done.error());
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "inspect",
      "Show the volume as a file system (FUSE), with or without servers: files/, inodes/, volume/,\n"
      "and of the servers that run live/ and control/ (testbed/inspect/VIEW.md)\n"
      "Example: mkdir view; pnfslab inspect view & sleep 1; ls -l view/files; cat view/live/locks");
  auto options = std::make_shared<Options>();
  sub->add_option("directory", options->mount.directory, "Where to mount it")->required();
  sub->add_option("--store", options->url, "iscsi://host[:port]/iqn/lun (default: the volume of the lab that is up)");
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_flag("--allow-other", options->mount.allow_other,
                "Other users may look too, as far as the modes of the files allow");
  sub->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace pnfs::cli
