#include "common/server/node_process.hpp"

#include <cstdlib>

#include "common/block/injected_block_store.hpp"
#include "common/block/iscsi_block_store.hpp"
#include "common/compound/fault_desk.hpp"
#include "common/control/control_service.hpp"
#include "common/io/event.hpp"
#include "common/io/task_group.hpp"
#include "common/live/metrics.hpp"
#include "common/rpc/server.hpp"
#include "common/rpc/trace_observer.hpp"
#include "common/server/frame.hpp"

namespace pnfs::server {

namespace {

block::IscsiOptions initiator_of(const NodeOptions& options) {
  block::IscsiOptions iscsi;
  iscsi.initiator_name =
      options.initiator_name.empty() ? "iqn.2026-01.org.pnfslab:" + options.node : options.initiator_name;
  // The same for each start of a node, another for each node: the target sees the same initiator port, with its
  // reservation key, again.
  uint32_t hash = 2166136261u;
  for (const char c : options.node) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  iscsi.isid = {hash & 0xffffff, static_cast<uint16_t>(hash >> 24)};
  return iscsi;
}

class Process {
 public:
  Process(const NodeOptions& options, Node& node)
      : options_(options),
        node_(node),
        frame_(options.program, options.node, options.common),
        faults_(frame_.context(), frame_.clock(), options.node, options.common.fault_seed) {}

  void run() {
    if (auto prepared = prepare(); !prepared) {
      result_ = frame_.fail(prepared.error());
      return;
    }
    io::TaskGroup main(frame_.executor());
    main.spawn("main", serve());
    frame_.on_signal([this] {
      if (!started_ && node_.may_vanish()) std::_Exit(result_);
      told_to_stop_ = true;
      end_serving();
    });
    frame_.context().run();
  }

  // Instead of returning from main(): the process goes on as a new one of the same pid. Only when a rule restarted it.
  void be_reborn_if_asked() {
    if (faults_.restarting() && !told_to_stop_ && result_ == 0) result_ = frame_.fail(faults_.reborn());
  }
  int result() const { return result_; }

 private:
  Result<void> prepare() {
    if (auto opened = frame_.open_records(); !opened) return opened;
    if (frame_.trace() != nullptr) watch_ = std::make_unique<rpc::TraceObserver>(*frame_.trace());
    control::add_control_points(faults_.vocabulary());
    faults_.set_trace(frame_.trace());
    faults_.on_restart = [this] { end_serving(); };
    faults_.on_halt = [this] { frame_.flush(); };
    return faults_.load(options_.common.faults);
  }

  void end_serving() {
    stop_ = true;
    stopping_.notify_all();
  }

  io::Task<void> serve() {
    auto served = co_await start();
    if (served) {
      started_ = true;
      Frame::announce(node_.server().listening());
      // Whoever waited for the life before to be ready is gone.
      if (!compound::FaultDesk::is_reborn()) frame_.tell_ready();
      while (!stop_) co_await stopping_.wait();
    } else {
      result_ = frame_.fail(served.error());
    }
    co_await frame_.close_doors();
    if (begun_) {
      auto stopped = co_await node_.stop();
      if (!stopped && result_ == 0) result_ = frame_.fail(stopped.error());
    }
    if (store_) co_await store_->close();
    frame_.end();
  }

  io::Task<Result<void>> start() {
    auto opened = co_await block::open_iscsi(frame_.context(), frame_.timers(), options_.store, initiator_of(options_));
    if (!opened) co_return opened.error();
    store_ = std::move(*opened);
    faulty_store_ = std::make_unique<block::InjectedBlockStore>(*store_, faults_.engine(), frame_.timers());
    if (stop_) co_return error(Errc::cancelled, "stopped before it was up");
    begun_ = true;
    const Seams seams{.executor = frame_.executor(),
                      .clock = frame_.clock(),
                      .timers = frame_.timers(),
                      .random = frame_.random(),
                      .network = frame_.network(),
                      .store = *faulty_store_,
                      .trace = frame_.trace(),
                      .faults = &faults_.engine(),
                      .observer = watch_.get()};
    auto started = co_await node_.start(seams, faults_, [this](const Error& error) {
      result_ = frame_.fail(error);
      end_serving();
    });
    if (!started) co_return started;
    node_.add_tables(frame_.desk());
    auto page = [this] {
      live::Metrics metrics(options_.node);
      node_.add_metrics(metrics);
      return std::move(metrics).finish();
    };
    co_return frame_.open_doors(
        page,
        [this](std::unique_ptr<io::Listener> listener) {
          return node_.server().serve_until_closed(std::move(listener));
        },
        [this](std::string_view text) {
          return text.starts_with("fault ") ? faults_.command(text) : node_.command(text);
        });
  }

  const NodeOptions& options_;
  Node& node_;
  Frame frame_;
  compound::FaultDesk faults_;
  std::unique_ptr<rpc::TraceObserver> watch_;  // with the trace: what happens to connections
  std::unique_ptr<block::BlockStore> store_;
  std::unique_ptr<block::InjectedBlockStore> faulty_store_;
  io::Event stopping_{frame_.executor()};
  bool begun_ = false;    // node_.start() was called
  bool started_ = false;  // and serves
  bool stop_ = false;
  bool told_to_stop_ = false;
  int result_ = 0;
};

}  // namespace

int run_node(const NodeOptions& options, Node& node) {
  Process process(options, node);
  process.run();
  process.be_reborn_if_asked();
  return process.result();
}

}  // namespace pnfs::server
