// pnfslab bench trace: what --trace costs pnfs-mds.
#include <nlohmann/json.hpp>

#include "testbed/bench/trace_bench.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/daemon.hpp"

namespace pnfs::cli {

namespace {

struct TraceBenchSettings {
  bench::TraceBenchOptions trace;
  bool as_json = false;
};

void print_trace_point(const bench::TracePoint& p) {
  fmt::print("{:>11}  {:>8.0f} {:>8.0f} {:>6.3f}   {:>7.2f} {:>7.2f} {:>5.2f}   {:>7.2f} {:>7.2f} {:>5.2f}\n",
             bench::to_string(p.load), p.off.operations_per_s, p.on.operations_per_s, p.ratio, p.off.serving_us,
             p.on.serving_us, p.on.serving_us / p.off.serving_us, p.off.server_us, p.on.server_us,
             p.on.server_us / p.off.server_us);
  std::fflush(stdout);
}

nlohmann::json trace_side_json(const bench::TraceFigures& f) {
  return {{"operations_per_s", f.operations_per_s}, {"serving_cpu_us", f.serving_us}, {"server_cpu_us", f.server_us}};
}

int bench_trace_command(const TraceBenchSettings& settings) {
  const bench::TraceBenchOptions& o = settings.trace;
  if (!settings.as_json) {
    fmt::print(
        "{} operations of each kind over loopback, {} at a time, median of {}; CPU in microseconds per operation.\n\n"
        "{:>11}  {:^24}   {:^21}   {:^21}\n{:>11}  {:>8} {:>8} {:>6}   {:>7} {:>7} {:>5}   {:>7} {:>7} {:>5}\n",
        o.operations, o.depth, o.rounds, "", "op/s", "serving thread's CPU", "server's CPU", "operation", "off", "on",
        "on/off", "off", "on", "ratio", "off", "on", "ratio");
  }
  const auto done = bench::bench_trace(o, [&](const bench::TracePoint& point) {
    if (!settings.as_json) print_trace_point(point);
  });
  if (!done) return report("bench trace", done.error());
  if (settings.as_json) {
    auto points = nlohmann::json::array();
    for (const auto& p : *done)
      points.push_back({{"operation", bench::to_string(p.load)},
                        {"off", trace_side_json(p.off)},
                        {"on", trace_side_json(p.on)},
                        {"throughput_ratio", p.ratio}});
    fmt::print("{}\n", nlohmann::json{{"points", points}}.dump(2));
  }
  return 0;
}

}  // namespace

void add_bench_trace(CLI::App& bench, Action& action) {
  auto* trace = bench.add_subcommand("trace",
                                     "SEQUENCE, GETATTR and OPEN+CLOSE at a pnfs-mds with --trace and at one without.\n"
                                     "Example: pnfslab bench trace --rounds 15");
  auto settings = std::make_shared<TraceBenchSettings>();
  bench::TraceBenchOptions& o = settings->trace;
  o.mds_program = lab::program_folder() + "/pnfs-mds";
  o.target_program = lab::program_folder() + "/pnfs-target";
  trace->add_option("--depth", o.depth, "Requests under way at a time")->check(CLI::Range(1u, 64u))->capture_default_str();
  trace->add_option("--operations", o.operations, "Operations of each kind in one round")
      ->check(CLI::Range(uint64_t{100}, uint64_t{1'000'000}))
      ->capture_default_str();
  trace->add_option("--rounds", o.rounds, "Turns of each server")->check(CLI::Range(1u, 100u))->capture_default_str();
  trace->add_option("--folder", o.folder, "Where LUNs and trace are made")->capture_default_str();
  trace->add_option("--base-port", o.base_port, "This port and the next three are used")->capture_default_str();
  trace->add_option("--mds", o.mds_program, "Another pnfs-mds than the one beside this program");
  trace->add_flag("--json", settings->as_json, "Machine-readable");
  trace->callback([settings, &action] { action = [settings] { return bench_trace_command(*settings); }; });
}

}  // namespace pnfs::cli
