#include "testbed/bench/data_bench.hpp"

#include "common/io/tcp_network.hpp"
#include "testbed/bench/control_calls.hpp"
#include "testbed/bench/data_load.hpp"
#include "testbed/bench/echo.hpp"
#include "testbed/bench/iscsi_perf.hpp"
#include "testbed/bench/servers.hpp"
#include "testbed/lab/run_on.hpp"

namespace pnfs::bench {

namespace {

constexpr uint32_t kSmall = 4096, kLarge = 1u << 20;
constexpr unsigned kSmallDepth = 16, kLargeDepth = 4;
constexpr size_t kReadCallBytes = 200;  // SEQUENCE PUTFH READ

// What serves one file, and who reads it.
struct Side {
  std::vector<const Child*> servers;
  const Child* target = nullptr;
  DataLoad& small;
  DataLoad& large;
};

class DataBench {
 public:
  DataBench(const DataBenchOptions& options, const DataProgress& progress) : o_(options), progress_(progress) {}

  Result<DataReport> run() {
    const Scratch scratch(o_.folder);
    if (auto made = scratch.made(); !made) return made.error();
    folder_ = scratch.folder();
    trace_ = folder_ + "/mds.jsonl";
    MdsStart how{o_.mds_program, o_.target_program, folder_, o_.base_port};
    how.lun_bytes = (o_.stream_bytes + o_.file_bytes) * 2 + (256u << 20);
    how.trace = trace_;
    how.layout = "unit=1M";
    auto mds = start_mds(how);
    if (!mds) return mds.error();
    std::vector<Child> data_servers;
    for (unsigned i = 1; i <= 2; ++i) {
      auto ds = start_data_server({o_.ds_program, folder_, i, port(1 + i), o_.base_port});
      if (!ds) return ds.error();
      data_servers.push_back(std::move(*ds));
    }
    auto ganesha = start_ganesha(folder_, port(4));
    if (!ganesha) {
      if (lab::interrupted()) return interrupted_error();
      report_.without_ganesha = ganesha.error().reason;
      progress_.note("not beside NFS-Ganesha: " + report_.without_ganesha);
    }
    auto done = beside(*mds, data_servers, ganesha ? &*ganesha : nullptr);
    if (done) done = count_calls();
    if (!done) return done.error();
    return std::move(report_);
  }

 private:
  uint16_t port(unsigned i) const { return static_cast<uint16_t>(o_.base_port + i); }

  // Each with a file of its own.
  struct Loads {
    Loads(DataBench& b, uint16_t at, const std::string& below, bool striped)
        : small({b.network_, b.timers_, b.random_}, {loopback(at), below + "small", striped, kSmallDepth}),
          large({b.network_, b.timers_, b.random_}, {loopback(at), below + "large", striped, kLargeDepth}) {}
    DataLoad small, large;
  };

  Result<void> prepare(Loads& loads) {
    for (DataLoad* load : {&loads.small, &loads.large}) {
      auto done = lab::run_on(context_, load->mount());
      if (done) done = lab::run_on(context_, load->write(o_.file_bytes));
      if (!done) return done;
    }
    return {};
  }
  void stop(Loads& loads) {
    (void)lab::run_on(context_, loads.small.stop());
    (void)lab::run_on(context_, loads.large.stop());
  }

  Result<void> beside(const OurMds& mds, const std::vector<Child>& data_servers, const Child* ganesha) {
    Loads our_loads(*this, o_.base_port, "", true);
    std::optional<Loads> their_loads;
    if (ganesha != nullptr) their_loads.emplace(*this, port(4), std::string(kGaneshaExport) + "/", false);
    Result<void> done = prepare(our_loads);
    if (done && their_loads) {
      done = prepare(*their_loads);
      if (!done) done = done.error().with_context("NFS-Ganesha");
    }
    Side ours{{&data_servers[0], &data_servers[1]}, &mds.target, our_loads.small, our_loads.large};
    std::optional<Side> theirs;
    if (their_loads) theirs.emplace(Side{{ganesha}, nullptr, their_loads->small, their_loads->large});
    if (done) done = point({kSmall, o_.small_reads, true}, kSmallDepth, 0.5, ours, theirs ? &*theirs : nullptr);
    if (done) done = point({kLarge, o_.large_reads, false}, kLargeDepth, 1, ours, theirs ? &*theirs : nullptr);
    stop(our_loads);
    if (their_loads) stop(*their_loads);
    return done;
  }

  Result<void> point(DataReads reads, unsigned depth, double goal, Side& ours, Side* ganesha) {
    std::vector<DataFigures> our_runs, their_runs;
    std::vector<DataFloor> floors;
    for (unsigned round = 0; round < o_.rounds; ++round) {
      auto one = measure(reads, ours);
      if (!one) return one.error().with_context("pnfs-ds");
      our_runs.push_back(*one);
      if (reads.bytes == kLarge && report_.without_floor.empty()) {
        auto floor = measure_floor();
        if (floor)
          floors.push_back(*floor);
        else if (lab::interrupted())
          return interrupted_error();
        else
          report_.without_floor = floor.error().reason;
      }
      if (ganesha == nullptr) continue;
      one = measure(reads, *ganesha);
      if (!one) return one.error().with_context("NFS-Ganesha");
      their_runs.push_back(*one);
    }
    DataPoint& point = report_.points.emplace_back();
    point.bytes = reads.bytes;
    point.depth = depth;
    point.random = reads.random;
    point.ours = median_of(our_runs);
    point.ganesha_goal = goal;
    if (ganesha != nullptr) point.ganesha = median_of(their_runs);
    progress_.point(point);
    if (!report_.without_floor.empty())
      progress_.note("without the least that it could cost: " + report_.without_floor);
    if (floors.size() == o_.rounds)
      report_.floor = DataFloor{median(floors, &DataFloor::received), median(floors, &DataFloor::sent),
                                point.ours.server_us * 1000 / kLarge};
    return {};
  }

  // The same bytes in the same pieces, by those who do nothing else.
  Result<DataFloor> measure_floor() {
    auto perf = run_iscsi_perf({.url = target_url(port(1)), .bytes = kLarge, .depth = kLargeDepth, .folder = folder_});
    if (!perf) return perf.error();
    auto sent = measure_echo({o_.large_reads, kLargeDepth, kReadCallBytes, kLarge});
    if (!sent) return sent.error();
    return DataFloor{perf->initiator_us * 1000 / kLarge, sent->server_us * 1000 / kLarge};
  }

  Result<DataFigures> measure(const DataReads& reads, Side& side) {
    if (lab::interrupted()) return interrupted_error();
    const auto at_servers = [&] {
      std::chrono::nanoseconds sum{};
      for (const Child* server : side.servers) sum += server->cpu_time();
      return sum;
    };
    const auto began = std::chrono::steady_clock::now();
    const auto servers = at_servers(), us = own_cpu_time();
    const auto target = side.target != nullptr ? side.target->cpu_time() : std::chrono::nanoseconds{};
    DataLoad& load = reads.bytes == kLarge ? side.large : side.small;
    if (auto done = lab::run_on(context_, load.read(reads)); !done) return done.error();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto n = static_cast<double>(reads.count);
    const auto us_each = [n](std::chrono::nanoseconds t) { return static_cast<double>(t.count()) / 1000 / n; };
    DataFigures figures;
    figures.operations_per_s = n / took.count();
    figures.mib_per_s = figures.operations_per_s * reads.bytes / (1 << 20);
    figures.server_us = us_each(at_servers() - servers);
    figures.client_us = us_each(own_cpu_time() - us);
    if (side.target != nullptr) figures.target_us = us_each(side.target->cpu_time() - target);
    return figures;
  }

  static DataFigures median_of(const std::vector<DataFigures>& runs) {
    return {median(runs, &DataFigures::operations_per_s), median(runs, &DataFigures::mib_per_s),
            median(runs, &DataFigures::server_us), median(runs, &DataFigures::target_us),
            median(runs, &DataFigures::client_us)};
  }

  Result<void> count_calls() {
    progress_.note(fmt::format("counting control calls while {} MiB are streamed", o_.stream_bytes >> 20));
    DataLoad load({network_, timers_, random_}, {loopback(o_.base_port), "stream", true, kLargeDepth});
    ControlCallCounter counter(trace_);
    const DataReads all{kLarge, o_.stream_bytes / kLarge, false};
    Result<void> done = lab::run_on(context_, load.mount());
    const auto counted = [&](io::Task<Result<void>> task, uint64_t& calls) {
      if (done && lab::interrupted()) done = interrupted_error();
      if (done) done = lab::run_on(context_, std::move(task));
      auto count = counter.count();
      if (count) calls = *count;
      else if (done) done = count.error();
    };
    uint64_t not_counted = 0;
    if (auto earlier = counter.count(); done && !earlier) done = earlier.error();
    counted(load.write(o_.stream_bytes), report_.calls.written);
    counted(load.read(all), report_.calls.read_again);
    counted(load.open_again(), not_counted);
    counted(load.read(all), report_.calls.new_open);
    (void)lab::run_on(context_, load.stop());
    return done;
  }

  const DataBenchOptions& o_;
  const DataProgress& progress_;
  std::string folder_, trace_;
  DataReport report_;
  boost::asio::io_context context_{1};
  SystemClock clock_;
  SeededRandom random_{1};
  io::AsioTimers timers_{context_.get_executor(), clock_};
  io::TcpNetwork network_{context_};
};

}  // namespace

Result<DataReport> bench_data(const DataBenchOptions& options, const DataProgress& progress) {
  return DataBench(options, progress).run();
}

}  // namespace pnfs::bench
