#include "testbed/bench/mds_bench.hpp"

#include "testbed/bench/servers.hpp"
#include "testbed/lab/run_on.hpp"

namespace pnfs::bench {

namespace {

constexpr size_t kSequenceBytes = 128;  // of a call with SEQUENCE alone, and of its reply

// A server and the client that loads it.
struct Measured {
  Measured(const Child& server, const Child* target, MdsLoad::Seams seams, const io::Endpoint& at, unsigned depth)
      : server(server), target(target), load(seams, at, depth) {}
  const Child& server;
  const Child* target;  // of ours
  MdsLoad load;
};

class MdsBench {
 public:
  MdsBench(const MdsBenchOptions& options, const MdsProgress& progress) : o_(options), progress_(progress) {}

  Result<MdsReport> run() {
    const Scratch scratch(o_.folder);
    if (auto made = scratch.made(); !made) return made.error();
    auto ours = start_mds({o_.mds_program, o_.target_program, scratch.folder(), o_.base_port});
    if (!ours) return ours.error();
    auto ganesha = start_ganesha(scratch.folder(), static_cast<uint16_t>(o_.base_port + 2));
    if (!ganesha) {
      if (lab::interrupted()) return interrupted_error();
      report_.without_ganesha = ganesha.error().reason;
      progress_.note("not beside NFS-Ganesha: " + report_.without_ganesha);
    }
    if (auto echo = measure_echo({o_.operations * 5, o_.depth, kSequenceBytes, kSequenceBytes}); echo) {
      report_.echo = *echo;
      progress_.echo(*echo);
    } else {
      return echo.error();
    }
    auto done = beside(*ours, ganesha ? &*ganesha : nullptr);
    if (done && o_.clients > 0) done = idle(*ours);
    if (!done) return done.error();
    return std::move(report_);
  }

 private:
  Result<void> beside(const OurMds& ours, const Child* ganesha) {
    Measured first(ours.mds, &ours.target, {network_, timers_}, loopback(o_.base_port), o_.depth);
    const io::Endpoint theirs = loopback(static_cast<uint16_t>(o_.base_port + 2));
    std::optional<Measured> second;
    if (ganesha != nullptr) second.emplace(*ganesha, nullptr, MdsLoad::Seams{network_, timers_}, theirs, o_.depth);
    Result<void> done = lab::run_on(context_, first.load.prepare(""));
    if (done && second) {
      done = lab::run_on(context_, second->load.prepare(kGaneshaExport));
      if (!done) done = done.error().with_context("NFS-Ganesha");
    }
    for (const Load load : {Load::sequence, Load::getattr, Load::open_close})
      if (done) done = point(load, first, second ? &*second : nullptr);
    (void)lab::run_on(context_, first.load.stop());
    if (second) (void)lab::run_on(context_, second->load.stop());
    return done;
  }

  Result<void> point(Load load, Measured& ours, Measured* ganesha) {
    std::vector<MdsFigures> our_runs, their_runs;
    for (unsigned round = 0; round < o_.rounds; ++round) {
      auto one = measure(load, ours);
      if (!one) return one.error().with_context("pnfs-mds");
      our_runs.push_back(*one);
      if (ganesha == nullptr) continue;
      one = measure(load, *ganesha);
      if (!one) return one.error().with_context("NFS-Ganesha");
      their_runs.push_back(*one);
    }
    MdsPoint& point = report_.points.emplace_back();
    point.load = load;
    point.ours = median_of(our_runs);
    if (ganesha != nullptr) point.ganesha = median_of(their_runs);
    progress_.point(point);
    return {};
  }

  Result<MdsFigures> measure(Load load, Measured& on) {
    if (lab::interrupted()) return interrupted_error();
    const auto began = std::chrono::steady_clock::now();
    const auto at_server = on.server.cpu_time(), at_us = own_cpu_time();
    const auto at_target = on.target != nullptr ? on.target->cpu_time() : std::chrono::nanoseconds{};
    if (auto done = lab::run_on(context_, on.load.run(load, o_.operations)); !done) return done.error();
    const auto n = static_cast<double>(o_.operations);
    const auto us_each = [n](std::chrono::nanoseconds t) { return static_cast<double>(t.count()) / 1000 / n; };
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    MdsFigures figures;
    figures.operations_per_s = n / took.count();
    figures.server_us = us_each(on.server.cpu_time() - at_server);
    figures.client_us = us_each(own_cpu_time() - at_us);
    if (on.target != nullptr) figures.target_us = us_each(on.target->cpu_time() - at_target);
    return figures;
  }

  static MdsFigures median_of(const std::vector<MdsFigures>& runs) {
    return {median(runs, &MdsFigures::operations_per_s), median(runs, &MdsFigures::server_us),
            median(runs, &MdsFigures::target_us), median(runs, &MdsFigures::client_us)};
  }

  Result<void> idle(const OurMds& ours) {
    progress_.note(fmt::format("{} idle clients, each with a session of 64 slots", o_.clients));
    auto figures =
        measure_idle_clients(context_, timers_, {.server = loopback(o_.base_port), .clients = o_.clients}, ours.mds);
    if (!figures) return figures.error().with_context("idle clients");
    report_.idle = *figures;
    return {};
  }

  const MdsBenchOptions& o_;
  const MdsProgress& progress_;
  MdsReport report_;
  boost::asio::io_context context_{1};
  SystemClock clock_;
  io::AsioTimers timers_{context_.get_executor(), clock_};
  io::TcpNetwork network_{context_};
};

}  // namespace

double goal_of(Load load) {
  switch (load) {
    case Load::sequence:
      return 0.2;
    case Load::getattr:
      return 0.25;
    case Load::open_close:
      return 1;
  }
  return 1;
}

Result<MdsReport> bench_mds(const MdsBenchOptions& options, const MdsProgress& progress) {
  return MdsBench(options, progress).run();
}

}  // namespace pnfs::bench
