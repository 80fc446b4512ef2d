// pnfs-ds: one data server as a process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "common/base/descriptor_limit.hpp"
#include "common/server/node_process.hpp"
#include "common/server/settings_table.hpp"
#include "ds/ds.hpp"
#include "ds/live.hpp"
#include "ds/settings.hpp"

namespace pnfs::ds {
namespace {

class DsNode final : public server::Node {
 public:
  explicit DsNode(Options options) : options_(std::move(options)) {}

  io::Task<Result<void>> start(const Seams& seams, compound::FaultDesk&, std::function<void(const Error&)>) override {
    ds_ = std::make_unique<Ds>(std::move(options_), seams);
    return ds_->start();
  }
  io::Task<Result<void>> stop() override {
    co_await ds_->stop();
    ds_.reset();
    co_return Result<void>{};
  }
  bool may_vanish() const override { return true; }  // before it serves it has nothing to give back
  rpc::Server& server() override { return ds_->server(); }
  void add_tables(live::Desk& desk) override { ds::add_tables(*ds_, desk); }
  void add_metrics(live::Metrics& metrics) override { ds::add_metrics(*ds_, metrics); }
  Result<std::string> command(std::string_view text) override {
    return error(Errc::invalid, "\"{}\" is no command of a data server; those of tables and of fault rules are", text);
  }

 private:
  Options options_;
  std::unique_ptr<Ds> ds_;
};

}  // namespace
}  // namespace pnfs::ds

int main(int argc, char** argv) {
  using namespace pnfs;
  spdlog::set_default_logger(spdlog::stderr_color_mt("pnfs-ds"));
  ds::Settings settings;
  CLI::App app(
      "A data server of a pnfslab cluster. It joins the cluster at its MDS and serves READ, WRITE and COMMIT of files "
      "layouts straight from the shared volume.",
      "pnfs-ds");
  app.footer(
      "Example:\n  pnfs-ds --node ds1 --listen 127.0.0.1:12050 --mds 127.0.0.1:12049 \\\n"
      "          --store iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:volume/1");
  server::SettingsTable table(app, "ds");
  ds::declare(table, settings);
  if (auto code = table.parse(argc, argv)) return *code;
  auto options = ds::options_from(settings);
  if (!options) return server::fail("pnfs-ds", options.error());
  raise_descriptor_limit();
  const server::NodeOptions node{"pnfs-ds", options->node, settings.store, settings.initiator_name, settings.common};
  ds::DsNode ds(std::move(*options));
  return server::run_node(node, ds);
}
