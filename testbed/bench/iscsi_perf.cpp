#include "testbed/bench/iscsi_perf.hpp"

#include <cstdlib>

#include "testbed/bench/scratch.hpp"

namespace pnfs::bench {

namespace {

constexpr uint64_t kBlock = 512;

// It ends with "iops average 18000 (70 MB/s)".
Result<double> average_of(const std::string& text) {
  constexpr std::string_view kMark = "iops average ";
  const size_t at = text.rfind(kMark);
  const double found = at == text.npos ? 0 : std::strtod(text.c_str() + at + kMark.size(), nullptr);
  if (found <= 0) return error(Errc::io, "iscsi-perf gave no result: {}", text);
  return found;
}

}  // namespace

Result<PerfFigures> run_iscsi_perf(const PerfOptions& options) {
  const std::string log = options.folder + "/perf.log";
  auto perf = Child::start(
      {.command = {"iscsi-perf", "-m", std::to_string(options.depth), "-b", std::to_string(options.bytes / kBlock),
                   "-t", std::to_string(options.seconds), options.url},
       .environment = {},
       .log_file = log});
  if (!perf) {
    if (perf.error().code == Errc::not_found)
      return error(Errc::not_found, "{}; install it with: apt-get install libiscsi-bin", perf.error().reason);
    return perf.error();
  }
  const auto spent = perf->finish(std::chrono::seconds(options.seconds + 30));
  if (lab::interrupted()) return interrupted_error();
  if (!spent) return spent.error().with_context("iscsi-perf");
  const auto average = average_of(read_text(log));
  if (!average) return average.error();
  PerfFigures figures;
  figures.operations_per_s = *average;
  figures.operations = *average * options.seconds;
  figures.initiator_us = static_cast<double>(spent->count()) / 1000 / figures.operations;
  return figures;
}

}  // namespace pnfs::bench
