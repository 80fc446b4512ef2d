#include "testbed/bench/trace_bench.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "common/io/tcp_network.hpp"
#include "testbed/bench/servers.hpp"
#include "testbed/lab/run_on.hpp"

namespace pnfs::bench {

namespace {

// A thread's time on a CPU is the first number there, in nanoseconds; some kernels do not have it. The first thread of a
// server is the one that serves.
double serving_ns(const Child& server) {
  double ns = std::numeric_limits<double>::quiet_NaN();
  std::ifstream(fmt::format("/proc/{0}/task/{0}/schedstat", server.pid())) >> ns;
  return ns;
}

struct Side {
  Side(OurMds mds, std::string trace, MdsLoad::Seams seams, uint16_t port, unsigned depth)
      : server(std::move(mds)), trace(std::move(trace)), load(seams, loopback(port), depth) {}
  OurMds server;
  std::string trace;
  MdsLoad load;
};

class TraceBench {
 public:
  explicit TraceBench(const TraceBenchOptions& options) : o_(options) {}

  Result<std::vector<TracePoint>> run(const std::function<void(const TracePoint&)>& progress) {
    const Scratch scratch(o_.folder);
    if (auto made = scratch.made(); !made) return made.error();
    const std::string off_folder = scratch.folder() + "/off", on_folder = scratch.folder() + "/on";
    std::error_code ec;
    for (const std::string& folder : {off_folder, on_folder}) std::filesystem::create_directory(folder, ec);
    std::optional<Side> off, on;
    Result<void> done = start(off, off_folder, "", o_.base_port);
    if (done) done = start(on, on_folder, on_folder + "/trace", static_cast<uint16_t>(o_.base_port + 2));
    std::vector<TracePoint> points;
    for (const Load load : {Load::sequence, Load::getattr, Load::open_close}) {
      if (!done) break;
      auto point = measure(load, *off, *on);
      if (point) {
        points.push_back(*point);
        progress(*point);
      } else {
        done = point.error();
      }
    }
    for (auto* side : {&on, &off})
      if (*side) (void)lab::run_on(context_, (*side)->load.stop());
    if (!done) return done.error();
    return points;
  }

 private:
  Result<void> start(std::optional<Side>& side, const std::string& folder, const std::string& trace, uint16_t port) {
    MdsStart how{o_.mds_program, o_.target_program, folder, port};
    how.trace = trace;
    auto mds = start_mds(how);
    if (!mds) return mds.error();
    side.emplace(std::move(*mds), trace, MdsLoad::Seams{network_, timers_}, port, o_.depth);
    return lab::run_on(context_, side->load.prepare(""));
  }

  Result<TracePoint> measure(Load load, Side& off, Side& on) {
    std::vector<TraceFigures> without, with;
    struct Ratio {
      double value;
    };
    std::vector<Ratio> ratios;
    for (unsigned round = 0; round < o_.rounds; ++round) {
      for (Side* side : {&off, &on}) {
        auto one = turn(load, *side);
        if (!one) return one.error();
        (side == &on ? with : without).push_back(*one);
      }
      ratios.push_back({with.back().operations_per_s / without.back().operations_per_s});
    }
    return TracePoint{load, median_of(without), median_of(with), median(ratios, &Ratio::value)};
  }

  Result<TraceFigures> turn(Load load, Side& side) {
    if (lab::interrupted()) return interrupted_error();
    // What earlier turns wrote needs no room any more; the server appends.
    if (!side.trace.empty() && ::truncate(side.trace.c_str(), 0) != 0)
      return error(Errc::io, "cannot empty {}", side.trace);
    const Child& mds = side.server.mds;
    const auto began = std::chrono::steady_clock::now();
    const double serving = serving_ns(mds);
    const auto server = mds.cpu_time();
    if (auto done = lab::run_on(context_, side.load.run(load, o_.operations)); !done) return done.error();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto n = static_cast<double>(o_.operations);
    return TraceFigures{n / took.count(), (serving_ns(mds) - serving) / 1000 / n,
                        static_cast<double>((mds.cpu_time() - server).count()) / 1000 / n};
  }

  static TraceFigures median_of(const std::vector<TraceFigures>& runs) {
    return {median(runs, &TraceFigures::operations_per_s), median(runs, &TraceFigures::serving_us),
            median(runs, &TraceFigures::server_us)};
  }

  const TraceBenchOptions& o_;
  boost::asio::io_context context_{1};
  SystemClock clock_;
  io::AsioTimers timers_{context_.get_executor(), clock_};
  io::TcpNetwork network_{context_};
};

}  // namespace

Result<std::vector<TracePoint>> bench_trace(const TraceBenchOptions& options,
                                            const std::function<void(const TracePoint&)>& progress) {
  return TraceBench(options).run(progress);
}

}  // namespace pnfs::bench
