// pnfslab mkfs: makes a volume on a LUN, with the words of mkfs.gfs2.
#include "common/volume/volume.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/volume_tools.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

struct Options {
  std::string url;
  std::string table = "pnfslab:vol0";
  volume::MkfsOptions mkfs;
  bool if_blank = false;
};

int make(const Options& given) {
  volume::MkfsOptions options = given.mkfs;
  if (auto parsed = volume::parse_table_name(given.table, options); !parsed) return report("mkfs", parsed.error());
  if (given.if_blank) {
    const auto done = format_if_blank(given.url, options.node_slots, given.table);
    return done ? 0 : report("mkfs", done.error());
  }
  volume::Superblock made;
  auto work = [&](block::BlockStore& store) -> io::Task<Result<void>> {
    SystemRandom random;
    SystemClock clock;
    auto superblock = co_await volume::mkfs(store, options, random, clock);
    if (!superblock) co_return superblock.error();
    made = *superblock;
    co_return Result<void>{};
  };
  const auto done = with_store(given.url, work);
  if (!done) return report("mkfs", done.error());
  fmt::print("volume {}:{} ({}) made: {} MiB, {} node slots\n", made.cluster, made.name, volume::to_string(made.uuid),
             made.volume_bytes >> 20, made.node_slots);
  return 0;
}

}  // namespace

void add_mkfs(CLI::App& app, Action& action) {
  auto* sub =
      app.add_subcommand("mkfs",
                         "Make a volume on a LUN\n"
                         "Example: pnfslab mkfs -j 2 -t lab:vol0 iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:lun0/1");
  auto options = std::make_shared<Options>();
  sub->add_option("-j", options->mkfs.node_slots, "Node slots: how many data servers may join")
      ->check(CLI::Range(1u, volume::kMaxNodeSlots))
      ->capture_default_str();
  sub->add_option("-t", options->table, "cluster:name")->capture_default_str();
  sub->add_flag("--force", options->mkfs.force, "Overwrite what is there, even a volume in use");
  sub->add_flag("--if-blank", options->if_blank, "Do nothing when the LUN holds a volume already");
  sub->add_option("url", options->url, "iscsi://[user%password@]host[:port]/iqn/lun")->required();
  sub->callback([options, &action] { action = [options] { return make(*options); }; });
}

}  // namespace pnfs::cli
