// pnfs-target: the emulated iSCSI target as a process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "common/io/tcp_network.hpp"
#include "testbed/target/ietd_config.hpp"
#include "testbed/target/json_trace.hpp"

namespace pnfs::target {
namespace {

constexpr int kRunTimeFailure = 1;
constexpr int kUsageFailure = 2;

struct Options {
  std::string config;
  std::string file;
  std::string size;
  uint32_t block_bytes = 512;
  std::string cache = "write-back";
  std::string listen = "127.0.0.1:13260";
  std::string iqn = "iqn.2026-01.pnfslab:volume";
  bool thin = false;
  bool read_only = false;
  bool removable = false;
  std::string sanitize_rate;
  std::string trace;
  std::string state;
  int ready_fd = -1;
  int listen_fd = -1;
};

void declare(CLI::App& app, Options& o) {
  app.add_option("--file", o.file, "File or block device behind LUN 1; created sparse when --size is given")
      ->type_name("PATH");
  app.add_option("--config", o.config, "Serve what an ietd.conf describes")->type_name("FILE")->excludes("--file");
  app.add_option("--size", o.size, "Size of the LUN, as 512M or 1G")->type_name("SIZE");
  app.add_option("--block-size", o.block_bytes, "Logical block size in bytes")->check(CLI::IsMember({512, 4096}));
  app.add_option("--cache", o.cache,
                 "What happens to writes that were not flushed: volatile loses them with the process")
      ->check(CLI::IsMember({"volatile", "write-back", "write-through"}));
  app.add_option("--listen", o.listen, "Address and port")->type_name("ADDR:PORT");
  app.add_option("--iqn", o.iqn, "Name of the target")->type_name("NAME");
  app.add_flag("--thin", o.thin, "Thin provisioned: UNMAP, GET LBA STATUS");
  app.add_flag("--read-only", o.read_only, "Refuse writes");
  app.add_flag("--removable", o.removable, "A medium that can be ejected");
  app.add_option("--sanitize-rate", o.sanitize_rate, "Pace of SANITIZE OVERWRITE, each second")->type_name("SIZE");
  app.add_option("--trace", o.trace, "Append one JSON line for each SCSI command")->type_name("FILE");
  app.add_option("--state", o.state, "Keep the files volume and session there, as IET's /proc/net/iet")
      ->type_name("DIR");
  app.add_option("--ready-fd", o.ready_fd, "Write \"ready\" to this descriptor once serving")->type_name("FD");
  app.add_option("--listen-fd", o.listen_fd, "A listening socket made by the caller")->type_name("FD");
  app.footer(
      "Example:\n  pnfs-target --file /var/tmp/volume.img --size 1G --cache volatile --listen 127.0.0.1:13260\n"
      "  iscsi-inq iscsi://127.0.0.1:13260/iqn.2026-01.pnfslab:volume/1");
}

Result<Config> config_from(const Options& o) {
  if (!o.config.empty()) {
    auto loaded = load_ietd_config(o.config);
    if (!loaded) return loaded.error();
    for (const std::string& note : loaded->notes) spdlog::warn("{}", note);
    return std::move(loaded->config);
  }
  if (o.file.empty()) return error(Errc::invalid, "say what to serve: --file PATH or --config FILE (see --help)");
  Config config;
  TargetSpec target;
  if (auto ok = check_iscsi_name(o.iqn); !ok) return ok.error().with_context("--iqn");
  target.config.rules.name = normal_name(o.iqn);
  UnitSpec unit;
  unit.path = o.file;
  if (!o.size.empty()) {
    const auto size = parse_size(o.size);
    if (!size) return size.error().with_context("--size");
    unit.size_bytes = *size;
  }
  if (!o.sanitize_rate.empty()) {
    const auto rate = parse_size(o.sanitize_rate);
    if (!rate) return rate.error().with_context("--sanitize-rate");
    unit.unit.sanitize_bytes_per_s = *rate;
  }
  unit.unit.lun = 1;
  unit.unit.block_bytes = o.block_bytes;
  unit.unit.thin = o.thin;
  unit.unit.read_only = o.read_only;
  unit.unit.removable = o.removable;
  unit.unit.cache = o.cache == "volatile"     ? scsi::CacheMode::volatile_memory
                    : o.cache == "write-back" ? scsi::CacheMode::write_back
                                              : scsi::CacheMode::write_through;
  target.units.push_back(std::move(unit));
  config.targets.push_back(std::move(target));
  return config;
}

int fail(const Error& error) {
  std::cerr << "pnfs-target: " << error.reason << "\n";
  return error.code == Errc::invalid ? kUsageFailure : kRunTimeFailure;
}

int ready_descriptor(const Options& o) {
  if (o.ready_fd >= 0) return o.ready_fd;
  const char* from_environment = std::getenv("NOTIFY_FD");
  return from_environment ? std::atoi(from_environment) : -1;
}

// Passes everything on to the trace and notes when the state views are out of date.
class Watcher final : public TargetObserver {
 public:
  explicit Watcher(JsonTrace* trace) : trace_(trace) {}
  void on_command(const CommandRecord& record) override {
    if (trace_) trace_->on_command(record);
  }
  void on_session(const SessionRecord& record) override {
    sessions_changed = true;
    if (trace_) trace_->on_session(record);
  }
  bool sessions_changed = true;

 private:
  JsonTrace* trace_;
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
  Process() : timers_(context_.get_executor(), clock_), network_(context_), signals_(context_, SIGTERM, SIGINT) {}

  int run(const Options& options, Config config) {
    Server server(timers_, random_, std::move(config.server));
    config.server = {};
    if (auto built = build(server, std::move(config)); !built) return fail(built.error());
    auto listener = listen(options);
    if (!listener) return fail(listener.error());
    if (!options.trace.empty()) {
      auto trace = open_json_trace(options.trace, clock_);
      if (!trace) return fail(trace.error());
      trace_ = std::move(*trace);
    }
    Watcher watcher(trace_.get());
    if (trace_ || !options.state.empty()) server.set_observer(&watcher);
    if (auto written = write_state(options, server, watcher); !written) return fail(written.error());
    announce(options, (*listener)->local());
    server.serve(std::move(*listener));
    signals_.async_wait([&](boost::system::error_code ec, int) {
      if (ec) return;
      boost::asio::co_spawn(context_, stop(server), boost::asio::detached);
    });
    if (trace_ || !options.state.empty()) tick(options, server, watcher);
    context_.run();
    return result_;
  }

 private:
  Result<std::unique_ptr<io::Listener>> listen(const Options& options) {
    if (options.listen_fd >= 0) return network_.adopt(options.listen_fd);
    const auto endpoint = io::parse_endpoint(options.listen, 3260);
    if (!endpoint) return endpoint.error().with_context("--listen");
    return network_.listen(*endpoint);
  }

  static void announce(const Options& options, const io::Endpoint& at) {
    std::cout << "listening at " << io::to_string(at) << std::endl;
    const int fd = ready_descriptor(options);
    if (fd < 0) return;
    if (::write(fd, "ready\n", 6) != 6) spdlog::warn("nobody listens on the ready descriptor {}", fd);
    ::close(fd);
  }

  // An orderly stop keeps what was written; only a kill loses what a volatile cache held.
  io::Task<void> stop(Server& server) {
    co_await server.stop();
    if (auto flushed = server.flush(); !flushed) {
      std::cerr << "pnfs-target: " << flushed.error().reason << "\n";
      result_ = kRunTimeFailure;
    }
    context_.stop();
  }

  static Result<void> write_state(const Options& options, const Server& server, Watcher& watcher) {
    if (options.state.empty() || !std::exchange(watcher.sessions_changed, false)) return {};
    auto done = replace_file(options.state + "/volume", server.volume_view());
    return done ? replace_file(options.state + "/session", server.session_view()) : done;
  }

  // What others read from files is at most this late.
  void tick(const Options& options, const Server& server, Watcher& watcher) {
    if (trace_) trace_->flush();
    if (auto written = write_state(options, server, watcher); !written) spdlog::warn("{}", written.error().reason);
    timers_.schedule_after(std::chrono::milliseconds(50), [&, this] { tick(options, server, watcher); });
  }

  io::asio::io_context context_{1};
  SystemClock clock_;
  SystemRandom random_;
  io::AsioTimers timers_;
  io::TcpNetwork network_;
  boost::asio::signal_set signals_;
  std::unique_ptr<JsonTrace> trace_;
  int result_ = 0;
};

}  // namespace
}  // namespace pnfs::target

int main(int argc, char** argv) {
  using namespace pnfs::target;
  spdlog::set_default_logger(spdlog::stderr_color_mt("pnfs-target"));
  Options options;
  CLI::App app("An emulated iSCSI target.", "pnfs-target");
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    std::cerr << "pnfs-target: " << e.what() << " (see --help)\n";
    return kUsageFailure;
  }
  auto config = config_from(options);
  if (!config) {
    std::cerr << "pnfs-target: " << config.error().reason << "\n";
    return kUsageFailure;
  }
  Process process;
  return process.run(options, std::move(*config));
}
