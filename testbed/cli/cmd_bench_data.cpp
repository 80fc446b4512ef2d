// pnfslab bench data: pnfs-ds beside what its work must cost.
#include <nlohmann/json.hpp>

#include "testbed/bench/data_bench.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/daemon.hpp"

namespace pnfs::cli {

namespace {

struct DataBenchSettings {
  bench::DataBenchOptions data;
  bool as_json = false;
};

const char* verdict(bool met) {
  return met ? "met" : "over";
}

std::string read_name(const bench::DataPoint& p) {
  const std::string size =
      p.bytes >= 1u << 20 ? fmt::format("{} MiB", p.bytes >> 20) : fmt::format("{} KiB", p.bytes >> 10);
  return size + (p.random ? " random" : "");
}

void print_data_head(const bench::DataBenchOptions& o) {
  fmt::print(
      "READs over loopback, median of {}; CPU in microseconds per READ. pnfs-ds: two of them, through a layout, from "
      "a\n"
      "pnfs-target in memory. NFS-Ganesha: one, VFS, its file in memory.\n\n",
      o.rounds);
  fmt::print("{:>12} {:>5}  {:^40}   {:^32}   {:^16}\n", "", "", "pnfs-ds", "NFS-Ganesha", "ours / Ganesha");
  fmt::print("{:>12} {:>5}  {:>8} {:>6} {:>7} {:>8} {:>7}   {:>8} {:>6} {:>8} {:>7}   {:>5} {:>5}\n", "READ", "depth",
             "op/s", "MiB/s", "server", "target", "client", "op/s", "MiB/s", "server", "client", "CPU", "goal");
}

void print_data_point(const bench::DataPoint& p) {
  fmt::print("{:>12} {:>5}  {:>8.0f} {:>6.0f} {:>7.1f} {:>8.1f} {:>7.1f}", read_name(p), p.depth,
             p.ours.operations_per_s, p.ours.mib_per_s, p.ours.server_us, p.ours.target_us, p.ours.client_us);
  if (p.ganesha) {
    const double ratio = p.ours.server_us / p.ganesha->server_us;
    fmt::print("   {:>8.0f} {:>6.0f} {:>8.1f} {:>7.1f}   {:>5.2f} {:>5.2f} {}", p.ganesha->operations_per_s,
               p.ganesha->mib_per_s, p.ganesha->server_us, p.ganesha->client_us, ratio, p.ganesha_goal,
               verdict(ratio <= p.ganesha_goal));
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void print_data_end(const bench::DataReport& r, const bench::DataBenchOptions& o) {
  using bench::ControlCalls, bench::DataFloor;
  if (r.floor)
    fmt::print(
        "\n1 MiB, ns of CPU per byte: libiscsi receives for {:.3f}, a bare TCP server sends for {:.3f}; pnfs-ds does "
        "both "
        "for {:.3f},\n{:.2f} of that (goal {:.2f}: {})\n",
        r.floor->received, r.floor->sent, r.floor->ours, r.floor->ratio(), DataFloor::kGoal,
        verdict(r.floor->ratio() <= DataFloor::kGoal));
  const auto line = [](const char* what, uint64_t calls, uint64_t goal) {
    fmt::print("  {:<28} {:>4}  (goal {}: {})\n", what, calls, goal, verdict(calls <= goal));
  };
  fmt::print("\ncalls of the data servers to the MDS for a stream of {} MiB:\n", o.stream_bytes >> 20);
  line("written and committed", r.calls.written, ControlCalls::kWrittenGoal);
  line("read, under the same open", r.calls.read_again, ControlCalls::kReadAgainGoal);
  line("read, under a new open", r.calls.new_open, ControlCalls::kNewOpenGoal);
}

nlohmann::json data_side_json(const bench::DataFigures& f) {
  return {{"operations_per_s", f.operations_per_s},
          {"mib_per_s", f.mib_per_s},
          {"server_cpu_us", f.server_us},
          {"target_cpu_us", f.target_us},
          {"client_cpu_us", f.client_us}};
}

nlohmann::json data_json(const bench::DataReport& report) {
  nlohmann::json out{{"without_ganesha", report.without_ganesha},
                     {"without_floor", report.without_floor},
                     {"points", nlohmann::json::array()},
                     {"control_calls",
                      {{"written", report.calls.written},
                       {"read_again", report.calls.read_again},
                       {"new_open", report.calls.new_open}}}};
  for (const auto& p : report.points) {
    nlohmann::json point{{"bytes", p.bytes},
                         {"depth", p.depth},
                         {"random", p.random},
                         {"ours", data_side_json(p.ours)},
                         {"goal", p.ganesha_goal}};
    if (p.ganesha) {
      point["ganesha"] = data_side_json(*p.ganesha);
      point["cpu_ratio"] = p.ours.server_us / p.ganesha->server_us;
    }
    out["points"].push_back(std::move(point));
  }
  if (report.floor)
    out["floor"] = {{"received_ns_per_byte", report.floor->received},
                    {"sent_ns_per_byte", report.floor->sent},
                    {"ours_ns_per_byte", report.floor->ours},
                    {"cpu_ratio", report.floor->ratio()},
                    {"goal", bench::DataFloor::kGoal}};
  return out;
}

int bench_data_command(const DataBenchSettings& settings) {
  const bool as_text = !settings.as_json;
  if (as_text) print_data_head(settings.data);
  const bench::DataProgress progress{
      .note = [](const std::string& text) { fmt::print(stderr, "pnfslab bench data: {}\n", text); },
      .point =
          [as_text](const bench::DataPoint& point) {
            if (as_text) print_data_point(point);
          }};
  const auto done = bench::bench_data(settings.data, progress);
  if (!done) return report("bench data", done.error());
  if (as_text)
    print_data_end(*done, settings.data);
  else
    fmt::print("{}\n", data_json(*done).dump(2));
  return 0;
}

}  // namespace

void add_bench_data(CLI::App& bench, Action& action) {
  auto* data = bench.add_subcommand(
      "data",
      "READs of two pnfs-ds and of NFS-Ganesha, side by side, with the CPU of both; beside what libiscsi and a bare "
      "TCP\n"
      "server need for the same bytes; and the calls to the MDS that a stream costs. What is not installed\n"
      "(apt-get install nfs-ganesha nfs-ganesha-vfs libiscsi-bin), or needs root, is left out.\n"
      "Example: pnfslab bench data --rounds 7");
  auto settings = std::make_shared<DataBenchSettings>();
  bench::DataBenchOptions& o = settings->data;
  o.ds_program = lab::program_folder() + "/pnfs-ds";
  o.mds_program = lab::program_folder() + "/pnfs-mds";
  o.target_program = lab::program_folder() + "/pnfs-target";
  const auto mib = [&](const char* name, uint64_t& bytes, const char* help) {
    data->add_option_function<uint64_t>(
            name, [&bytes](uint64_t n) { bytes = n << 20; }, help)
        ->check(CLI::Range(uint64_t{4}, uint64_t{65536}))
        ->default_str(std::to_string(bytes >> 20));
  };
  mib("--file-mib", o.file_bytes, "Length of the file that is read");
  mib("--stream-mib", o.stream_bytes, "How much is streamed while control calls are counted");
  const auto reads = [&](const char* name, uint64_t& count, const char* help) {
    data->add_option(name, count, help)->check(CLI::Range(uint64_t{16}, uint64_t{10'000'000}))->capture_default_str();
  };
  reads("--small-reads", o.small_reads, "READs of 4 KiB in one round");
  reads("--large-reads", o.large_reads, "READs of 1 MiB in one round");
  data->add_option("--rounds", o.rounds, "Turns of each server")->check(CLI::Range(1u, 100u))->capture_default_str();
  data->add_option("--folder", o.folder, "Where the LUN's file and Ganesha's export are made")->capture_default_str();
  data->add_option("--base-port", o.base_port, "This port and the next four are used")->capture_default_str();
  data->add_option("--ds", o.ds_program, "Another pnfs-ds than the one beside this program");
  data->add_flag("--json", settings->as_json, "Machine-readable");
  data->callback([settings, &action] { action = [settings] { return bench_data_command(*settings); }; });
}

}  // namespace pnfs::cli
