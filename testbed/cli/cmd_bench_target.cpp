// pnfslab bench target: pnfs-target beside tgt.
#include <nlohmann/json.hpp>

#include "testbed/bench/target_bench.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/daemon.hpp"

namespace pnfs::cli {

namespace {

struct TargetBenchSettings {
  bench::TargetBenchOptions target;
  bool as_json = false;
};

std::string size_name(uint64_t bytes) {
  if (bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
  return fmt::format("{} KiB", bytes >> 10);
}

void print_point(const bench::TargetPoint& p) {
  const auto side = [](const bench::TargetFigures& f) {
    return fmt::format("{:>8.0f} {:>8.0f} {:>9.1f} {:>9.1f}", f.operations_per_s, f.mib_per_s, f.target_us,
                       f.initiator_us);
  };
  fmt::print("{:>8} {:>5}  {}   {}   {:>5.2f} {:>5.2f}\n", size_name(p.bytes), p.depth, side(p.ours), side(p.tgt),
             p.ours.operations_per_s / p.tgt.operations_per_s, p.ours.target_us / p.tgt.target_us);
  std::fflush(stdout);
}

nlohmann::json side_json(const bench::TargetFigures& f) {
  return {{"operations_per_s", f.operations_per_s},
          {"mib_per_s", f.mib_per_s},
          {"target_cpu_us", f.target_us},
          {"initiator_cpu_us", f.initiator_us}};
}

int bench_target_command(const TargetBenchSettings& settings) {
  if (!settings.as_json) {
    fmt::print(
        "reads by iscsi-perf, {} x {} s each, median; CPU in microseconds per read, at the target and at the "
        "initiator\n{:>14}  {:^37}   {:^37}   {:^11}\n",
        settings.target.rounds, settings.target.seconds, "", "pnfs-target", "tgt", "ours / tgt");
    fmt::print("{:>8} {:>5}  {:>8} {:>8} {:>9} {:>9}   {:>8} {:>8} {:>9} {:>9}   {:>5} {:>5}\n", "size", "depth",
               "reads/s", "MiB/s", "target", "initiator", "reads/s", "MiB/s", "target", "initiator", "speed", "CPU");
  }
  const auto points = bench::bench_target(settings.target, [&](const bench::TargetPoint& p) {
    if (!settings.as_json) print_point(p);
  });
  if (!points) return report("bench target", points.error());
  if (settings.as_json) {
    nlohmann::json out = nlohmann::json::array();
    for (const auto& p : *points)
      out.push_back({{"bytes", p.bytes}, {"depth", p.depth}, {"ours", side_json(p.ours)}, {"tgt", side_json(p.tgt)}});
    fmt::print("{}\n", out.dump(2));
  }
  return 0;
}

}  // namespace

void add_bench_target(CLI::App& bench, Action& action) {
  auto* target = bench.add_subcommand("target",
                                       "Reads from pnfs-target and from tgt, side by side, with the CPU of both sides\n"
                                       "Example: pnfslab bench target --sizes 4K --depths 16,32");
  auto settings = std::make_shared<TargetBenchSettings>();
  settings->target.target_program = lab::program_folder() + "/pnfs-target";
  bench::TargetBenchOptions& o = settings->target;
  target->add_option("--sizes", o.sizes, "Bytes of a read")
      ->delimiter(',')
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(uint64_t{512}, uint64_t{16} << 20));
  target->add_option("--depths", o.depths, "Reads under way at a time")->delimiter(',')->check(CLI::Range(1u, 128u));
  target->add_option("--seconds", o.seconds, "Length of one run")->check(CLI::Range(1u, 3600u))->capture_default_str();
  target->add_option("--rounds", o.rounds, "Runs of each target at each point")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  target->add_option("--folder", o.folder, "Where the LUNs' files are made")->capture_default_str();
  target->add_option("--base-port", o.base_port, "This port and the next are used")->capture_default_str();
  target->add_option("--target", o.target_program, "Another pnfs-target than the one beside this program");
  target->add_flag("--json", settings->as_json, "Machine-readable");
  target->callback([settings, &action] { action = [settings] { return bench_target_command(*settings); }; });
}

}  // namespace pnfs::cli
