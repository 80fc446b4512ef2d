#include "testbed/bench/target_bench.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "testbed/bench/iscsi_perf.hpp"
#include "testbed/bench/servers.hpp"

namespace pnfs::bench {

namespace {

using namespace std::chrono_literals;

// Not zeros: a hole is read faster than data.
Result<void> make_lun(const std::string& path, uint64_t bytes) {
  std::vector<uint64_t> piece((1u << 20) / sizeof(uint64_t));
  std::mt19937_64 random(1);
  for (uint64_t& word : piece) word = random();
  std::ofstream out(path, std::ios::binary);
  for (uint64_t done = 0; done < bytes; done += 1u << 20)
    out.write(reinterpret_cast<const char*>(piece.data()), 1 << 20);
  out.close();
  return out ? Result<void>() : error(Errc::no_space, "cannot write {} bytes to {}", bytes, path);
}

Result<Child> start_ours(const TargetBenchOptions& options, const std::string& folder) {
  const std::string lun = folder + "/ours";
  if (auto made = make_lun(lun, options.lun_bytes); !made) return made.error();
  return start_target({options.target_program, lun, options.base_port, folder + "/ours.log"});
}

bool admin(const std::string& folder, std::vector<std::string> words) {
  words.insert(words.begin(), {"tgtadm", "--lld", "iscsi"});
  auto child = Child::start({.command = std::move(words),
                             .environment = {"TGT_IPC_SOCKET=" + folder + "/tgt.ipc"},
                             .log_file = folder + "/tgtadm.log"});
  return child && child->finish(10s);
}

Result<Child> start_tgt(const TargetBenchOptions& options, const std::string& folder) {
  const std::string lun = folder + "/tgt";
  if (auto made = make_lun(lun, options.lun_bytes); !made) return made.error();
  const uint16_t port = static_cast<uint16_t>(options.base_port + 1);
  auto child = Child::start({.command = {"tgtd", "-f", "-C", "0", "--iscsi", "portal=" + io::to_string(loopback(port))},
                             .environment = {"TGT_IPC_SOCKET=" + folder + "/tgt.ipc"},
                             .log_file = folder + "/tgt.log"});
  if (!child) {
    if (child.error().code == Errc::not_found)
      return error(Errc::not_found, "{}; install it with: apt-get install tgt", child.error().reason);
    return child.error();
  }
  const auto answers = [&] { return admin(folder, {"--mode", "sys", "--op", "show"}); };
  if (auto up = wait_for(answers, *child, "tgtd"); !up) return up.error();
  const bool made = admin(folder, {"--op", "new", "--mode", "target", "--tid", "1", "-T", kTargetName}) &&
                    admin(folder, {"--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun", "1", "-b", lun}) &&
                    admin(folder, {"--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL"});
  if (!made) return error(Errc::io, "tgtadm: {}", read_text(folder + "/tgtadm.log"));
  return std::move(*child);
}

Result<TargetFigures> run_once(const TargetBenchOptions& options, const std::string& folder, const Child& target,
                               uint16_t port, uint64_t bytes, unsigned depth) {
  const auto before = target.cpu_time();
  const auto perf = run_iscsi_perf({target_url(port), bytes, depth, options.seconds, folder});
  if (!perf) return perf.error();
  const auto at_target = target.cpu_time() - before;
  TargetFigures figures;
  figures.operations_per_s = perf->operations_per_s;
  figures.mib_per_s = perf->operations_per_s * static_cast<double>(bytes) / (1 << 20);
  figures.target_us = static_cast<double>(at_target.count()) / 1000 / perf->operations;
  figures.initiator_us = perf->initiator_us;
  return figures;
}

TargetFigures median_of(const std::vector<TargetFigures>& runs) {
  return {median(runs, &TargetFigures::operations_per_s), median(runs, &TargetFigures::mib_per_s),
          median(runs, &TargetFigures::target_us), median(runs, &TargetFigures::initiator_us)};
}

}  // namespace

Result<std::vector<TargetPoint>> bench_target(const TargetBenchOptions& options,
                                              const std::function<void(const TargetPoint&)>& on_point) {
  if (geteuid() != 0) return error(Errc::permission, "tgtd, the other side of the comparison, needs root");
  const Scratch scratch(options.folder);
  if (auto made = scratch.made(); !made) return made.error();
  const std::string& folder = scratch.folder();
  auto ours = start_ours(options, folder);
  if (!ours) return ours.error();
  auto tgt = start_tgt(options, folder);
  if (!tgt) return tgt.error();
  std::vector<TargetPoint> points;
  for (const uint64_t bytes : options.sizes) {
    for (const unsigned depth : options.depths) {
      std::vector<TargetFigures> our_runs, tgt_runs;
      for (unsigned round = 0; round < options.rounds; ++round) {
        auto one = run_once(options, folder, *ours, options.base_port, bytes, depth);
        if (!one) return one.error().with_context("pnfs-target");
        our_runs.push_back(*one);
        one = run_once(options, folder, *tgt, static_cast<uint16_t>(options.base_port + 1), bytes, depth);
        if (!one) return one.error().with_context("tgt");
        tgt_runs.push_back(*one);
      }
      points.push_back({bytes, depth, median_of(our_runs), median_of(tgt_runs)});
      on_point(points.back());
    }
  }
  return points;
}

}  // namespace pnfs::bench
