// pnfslab bench mds: pnfs-mds beside NFS-Ganesha.
#include <nlohmann/json.hpp>

#include "testbed/bench/mds_bench.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/daemon.hpp"

namespace pnfs::cli {

namespace {

struct MdsBenchSettings {
  bench::MdsBenchOptions mds;
  bool as_json = false;
};

void print_head(const bench::MdsBenchOptions& o) {
  fmt::print(
      "{} operations of each kind over loopback, {} at a time, median of {}; CPU in microseconds per operation.\n"
      "pnfs-mds replies when its volume (on a pnfs-target in memory) has the metadata, NFS-Ganesha's are in memory.\n\n",
      o.operations, o.depth, o.rounds);
  fmt::print("{:>11}  {:^33}   {:^24}   {:^17}\n", "", "pnfs-mds", "NFS-Ganesha", "ours / Ganesha");
  fmt::print("{:>11}  {:>8} {:>7} {:>7} {:>8}   {:>8} {:>6} {:>8}   {:>5} {:>5} {:>5}\n", "operation", "op/s", "server",
             "target", "client", "op/s", "server", "client", "CPU", "goal", "");
}

void print_point(const bench::MdsPoint& p) {
  fmt::print("{:>11}  {:>8.0f} {:>7.2f} {:>7.2f} {:>8.2f}", bench::to_string(p.load), p.ours.operations_per_s,
             p.ours.server_us, p.ours.target_us, p.ours.client_us);
  if (p.ganesha) {
    const double ratio = p.ours.server_us / p.ganesha->server_us, goal = bench::goal_of(p.load);
    fmt::print("   {:>8.0f} {:>6.1f} {:>8.2f}   {:>5.2f} {:>5.2f} {:>5}", p.ganesha->operations_per_s,
               p.ganesha->server_us, p.ganesha->client_us, ratio, goal, ratio <= goal ? "met" : "over");
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void print_idle(const bench::IdleFigures& idle) {
  fmt::print("{} idle clients, each with a connection and a used session of 64 slots: {:.1f} KiB each (goal: 64)\n",
             idle.clients, idle.server_kib);
}

nlohmann::json side_json(const bench::MdsFigures& f) {
  return {{"operations_per_s", f.operations_per_s},
          {"server_cpu_us", f.server_us},
          {"target_cpu_us", f.target_us},
          {"client_cpu_us", f.client_us}};
}

nlohmann::json report_json(const bench::MdsReport& report) {
  nlohmann::json out{
      {"echo", {{"operations_per_s", report.echo.operations_per_s}, {"server_cpu_us", report.echo.server_us}}},
      {"without_ganesha", report.without_ganesha},
      {"points", nlohmann::json::array()}};
  for (const auto& p : report.points) {
    nlohmann::json point{
        {"operation", bench::to_string(p.load)}, {"ours", side_json(p.ours)}, {"goal", bench::goal_of(p.load)}};
    if (p.ganesha) {
      point["ganesha"] = side_json(*p.ganesha);
      point["cpu_ratio"] = p.ours.server_us / p.ganesha->server_us;
    }
    out["points"].push_back(std::move(point));
  }
  if (report.idle) {
    out["idle"] = {{"clients", report.idle->clients},
                   {"server_kib_each", report.idle->server_kib},
                   {"setup_cpu_us_each", report.idle->server_us}};
  }
  return out;
}

int bench_mds_command(const MdsBenchSettings& settings) {
  const bool as_text = !settings.as_json;
  const bench::MdsProgress progress{
      .note = [&](const std::string& text) { fmt::print(stderr, "pnfslab bench mds: {}\n", text); },
      .echo =
          [&](const bench::EchoFigures& echo) {
            if (!as_text) return;
            print_head(settings.mds);
            fmt::print("{:>11}  {:>8.0f} {:>7.2f}\n", "echo", echo.operations_per_s, echo.server_us);
          },
      .point =
          [&](const bench::MdsPoint& point) {
            if (as_text) print_point(point);
          }};
  const auto done = bench::bench_mds(settings.mds, progress);
  if (!done) return report("bench mds", done.error());
  if (!as_text) {
    fmt::print("{}\n", report_json(*done).dump(2));
  } else if (done->idle) {
    print_idle(*done->idle);
  }
  return 0;
}

}  // namespace

void add_bench_mds(CLI::App& bench, Action& action) {
  auto* mds = bench.add_subcommand(
      "mds",
      "SEQUENCE, GETATTR and OPEN+CLOSE at pnfs-mds and at NFS-Ganesha, side by side, with the CPU of both, and the\n"
      "memory of idle clients. Without NFS-Ganesha (apt-get install nfs-ganesha nfs-ganesha-vfs) or root: ours alone.\n"
      "Example: pnfslab bench mds --operations 5000 --clients 10000");
  auto settings = std::make_shared<MdsBenchSettings>();
  bench::MdsBenchOptions& o = settings->mds;
  o.mds_program = lab::program_folder() + "/pnfs-mds";
  o.target_program = lab::program_folder() + "/pnfs-target";
  mds->add_option("--depth", o.depth, "Requests under way at a time")->check(CLI::Range(1u, 64u))->capture_default_str();
  mds->add_option("--operations", o.operations, "Operations of each kind in one round")
      ->check(CLI::Range(uint64_t{100}, uint64_t{10'000'000}))
      ->capture_default_str();
  mds->add_option("--rounds", o.rounds, "Turns of each server")->check(CLI::Range(1u, 100u))->capture_default_str();
  mds->add_option("--clients", o.clients, "Idle clients at pnfs-mds; 0: none")
      ->check(CLI::Range(0u, 20000u))
      ->capture_default_str();
  mds->add_option("--folder", o.folder, "Where the LUN's file and Ganesha's export are made")->capture_default_str();
  mds->add_option("--base-port", o.base_port, "This port and the next two are used")->capture_default_str();
  mds->add_option("--mds", o.mds_program, "Another pnfs-mds than the one beside this program");
  mds->add_flag("--json", settings->as_json, "Machine-readable");
  mds->callback([settings, &action] { action = [settings] { return bench_mds_command(*settings); }; });
}

}  // namespace pnfs::cli
