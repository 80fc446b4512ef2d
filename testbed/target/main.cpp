// pnfs-target: the emulated iSCSI target as a process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>
#include <fstream>

#include "common/base/descriptor_limit.hpp"
#include "common/live/metrics.hpp"
#include "common/server/frame.hpp"
#include "common/server/settings_table.hpp"
#include "testbed/target/live.hpp"
#include "testbed/target/rule_desk.hpp"
#include "testbed/target/settings.hpp"

namespace pnfs::target {
namespace {

// Passes everything on to the trace and notes when the state views are out of date.
class Watcher final : public TargetObserver {
 public:
  explicit Watcher(TargetTrace* trace) : trace_(trace) {}
  void on_command(const CommandRecord& record) override {
    counters.count(record);
    if (trace_) trace_->on_command(record);
  }
  void on_session(const SessionRecord& record) override {
    counters.count(record);
    sessions_changed = true;
    if (trace_) trace_->on_session(record);
  }
  bool sessions_changed = true;
  CommandCounters counters;

 private:
  TargetTrace* trace_;
};

Result<void> replace_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream out(fresh, std::ios::trunc);
  out << text;
  out.close();
  if (!out || std::rename(fresh.c_str(), path.c_str()) != 0)
    return error(Errc::io, "writing {}: {}", path, std::strerror(errno));
  return {};
}

class Process {
 public:
  Process(const Settings& settings, ServerConfig config)
      : settings_(settings),
        frame_("pnfs-target", "target", settings.common),
        server_(frame_.timers(), frame_.random(), std::move(config)),
        rules_(frame_.clock(), settings.common.fault_seed) {}

  int run(Config config) {
    auto listener = prepare(std::move(config));
    if (!listener) return frame_.fail(listener.error());
    server::Frame::announce({(*listener)->local()});
    frame_.tell_ready();
    server_.serve(std::move(*listener));
    frame_.on_signal([this] { boost::asio::co_spawn(frame_.context(), stop(), boost::asio::detached); });
    if (!settings_.state.empty()) tick();
    frame_.context().run();
    return result_;
  }

 private:
  Result<std::unique_ptr<io::Listener>> prepare(Config config) {
    if (auto built = build(server_, std::move(config)); !built) return built.error();
    if (auto opened = frame_.open_records(); !opened) return opened.error();
    auto listener = listen();
    if (!listener) return listener;
    if (frame_.trace() != nullptr) {
      frame_.trace()->set_enabled(trace::Kind::scsi, true);
      trace_ = std::make_unique<TargetTrace>(*frame_.trace());
    }
    if (auto started = rules_.start(server_, settings_.common.faults, trace_.get()); !started) return started.error();
    rules_.on_halt = [this] { frame_.flush(); };
    watcher_ = std::make_unique<Watcher>(trace_.get());
    server_.set_observer(watcher_.get());
    if (auto written = write_state(); !written) return written.error();
    add_tables(server_, watcher_->counters, frame_.desk());
    auto opened = frame_.open_doors(
        [this] {
          live::Metrics metrics("target");
          add_metrics(watcher_->counters, metrics);
          return std::move(metrics).finish();
        },
        [this](std::unique_ptr<io::Listener> from) { return server_.serve_until_closed(std::move(from)); },
        [this](std::string_view text) { return rules_.command(text); });
    if (!opened) return opened.error();
    return listener;
  }

  Result<std::unique_ptr<io::Listener>> listen() {
    if (settings_.listen_fd >= 0) {
      auto adopted = frame_.tcp().adopt(settings_.listen_fd);
      if (!adopted) return adopted.error();
      return frame_.tap().watch(std::move(*adopted));
    }
    const auto endpoint = io::parse_endpoint(settings_.listen, 3260);
    if (!endpoint) return endpoint.error().with_context("--listen");
    return frame_.network().listen(*endpoint);
  }

  // An orderly stop keeps what was written; only a kill loses what a volatile cache held.
  io::Task<void> stop() {
    co_await frame_.close_doors();
    co_await server_.stop();
    if (auto flushed = server_.flush(); !flushed) result_ = frame_.fail(flushed.error());
    frame_.end();
  }

  Result<void> write_state() {
    if (settings_.state.empty() || !std::exchange(watcher_->sessions_changed, false)) return {};
    auto done = replace_file(settings_.state + "/volume", server_.volume_view());
    return done ? replace_file(settings_.state + "/session", server_.session_view()) : done;
  }

  // What others read from files is at most this late.
  void tick() {
    if (auto written = write_state(); !written) spdlog::warn("{}", written.error().reason);
    frame_.timers().schedule_after(std::chrono::milliseconds(50), [this] { tick(); });
  }

  const Settings& settings_;
  server::Frame frame_;
  Server server_;
  RuleDesk rules_;
  std::unique_ptr<TargetTrace> trace_;
  std::unique_ptr<Watcher> watcher_;
  int result_ = 0;
};

}  // namespace
}  // namespace pnfs::target

int main(int argc, char** argv) {
  using namespace pnfs;
  spdlog::set_default_logger(spdlog::stderr_color_mt("pnfs-target"));
  target::Settings settings;
  CLI::App app("An emulated iSCSI target.", "pnfs-target");
  app.footer(
      "Example:\n  pnfs-target --file /var/tmp/volume.img --size 1G --cache volatile --listen 127.0.0.1:13260\n"
      "  iscsi-inq iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:volume/1");
  server::SettingsTable table(app);
  target::declare(table, settings);
  if (auto code = table.parse(argc, argv)) return *code;
  auto config = target::config_from(settings);
  if (!config) return server::fail("pnfs-target", config.error());
  raise_descriptor_limit();
  target::Process process(settings, std::exchange(config->server, {}));
  return process.run(std::move(*config));
}
