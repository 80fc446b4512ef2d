// pnfs-mds: the metadata server as a process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "common/base/descriptor_limit.hpp"
#include "common/compound/fault_desk.hpp"
#include "common/rpc/server.hpp"
#include "common/server/node_process.hpp"
#include "common/server/settings_table.hpp"
#include "mds/commands.hpp"
#include "mds/live.hpp"
#include "mds/mds.hpp"
#include "mds/recall_rules.hpp"
#include "mds/settings.hpp"

namespace pnfs::mds {
namespace {

class MdsNode final : public server::Node {
 public:
  explicit MdsNode(Options options) : options_(std::move(options)) {}

  io::Task<Result<void>> start(const Seams& seams, compound::FaultDesk& rules,
                               std::function<void(const Error&)> failed) override {
    rules.on_recall = [this](const fault::NodeAction& action) {
      if (mds_) recall(*mds_, action);
    };
    mds_ = std::make_unique<Mds>(std::move(options_), seams);
    mds_->on_failure(std::move(failed));
    return mds_->start();
  }
  io::Task<Result<void>> stop() override {
    auto stopped = co_await mds_->stop();
    mds_.reset();
    co_return stopped;
  }
  bool may_vanish() const override { return false; }  // the volume may be mounted already
  rpc::Server& server() override { return mds_->server(); }
  void add_tables(live::Desk& desk) override { mds::add_tables(*mds_, desk); }
  void add_metrics(live::Metrics& metrics) override { mds::add_metrics(*mds_, metrics); }
  Result<std::string> command(std::string_view text) override {
    return is_control(text) ? control(*mds_, text) : run_command(*mds_, text);
  }

 private:
  Options options_;
  std::unique_ptr<Mds> mds_;
};

}  // namespace
}  // namespace pnfs::mds

int main(int argc, char** argv) {
  using namespace pnfs;
  spdlog::set_default_logger(spdlog::stderr_color_mt("pnfs-mds"));
  mds::Settings settings;
  CLI::App app("The metadata server of a pNFS cluster.", "pnfs-mds");
  app.footer(
      "Example:\n  pnfs-mds --listen 127.0.0.1:12049 --store iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:volume/1\n"
      "  mount -t nfs4 -o minorversion=1,port=12049 127.0.0.1:/ /mnt");
  server::SettingsTable table(app, "mds");
  mds::declare(table, settings);
  if (auto code = table.parse(argc, argv)) return *code;
  auto options = mds::options_from(settings);
  if (!options) return server::fail("pnfs-mds", options.error());
  raise_descriptor_limit();
  const server::NodeOptions node{"pnfs-mds", options->node, settings.store, settings.initiator_name, settings.common};
  mds::MdsNode mds(std::move(*options));
  return server::run_node(node, mds);
}
