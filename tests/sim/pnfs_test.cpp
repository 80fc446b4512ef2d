// Thousands of runs of clients, data servers and failures against a model; and bugs that are planted, to show that such
// runs find them.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <iostream>

#include "tests/sim/pnfs_driver.hpp"

namespace pnfs::cluster {
namespace {

// What has to happen in the runs together, or they prove nothing.
const std::set<std::string> kPnfsMarks{"recall",
                                   "revoke",
                                   "fence",
                                   "quarantine",
                                   "verifier change",
                                   "crossed grant and revoke",
                                   "resend through the MDS",
                                   "commit",
                                   "layout commit",
                                   "close",
                                   "downgrade",
                                   "truncate",
                                   "remove",
                                   "dead stateid refused",
                                   "data server given up",
                                   "no layout at a data server",
                                   "unstable write",
                                   "data sync write",
                                   "file sync write",
                                   "write at the MDS",
                                   "read at the MDS",
                                   "read at a data server",
                                   "target restart",
                                   "mds killed",
                                   "ds killed",
                                   "client restart",
                                   "mds restarted under a client",
                                   "reclaimed",
                                   "lease expired",
                                   "a second life",
                                   "fenced at the device",
                                   "late write",
                                   "late write refused by the fence",
                                   "data server and client cut from the MDS"};

struct Quiet {
  Quiet() : before(spdlog::get_level()) { spdlog::set_level(spdlog::level::off); }
  ~Quiet() { spdlog::set_level(before); }
  spdlog::level::level_enum before;
};

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// PNFS_SIM_SEED runs one seed and shows its trace; PNFS_SIM_RUNS runs so many in each batch. PNFSLAB_SLOW looks longer.
constexpr uint64_t kPnfsBatches = 4;
constexpr uint64_t kPnfsRuns = 500;
constexpr int kPnfsBadSeeds = 5;  // enough to see whether they have one cause

struct PnfsBatch : ::testing::TestWithParam<uint64_t> {};

TEST_P(PnfsBatch, NobodyReadsWhatCannotBe) {
  const Quiet quiet;
  std::set<std::string> marks;
  const uint64_t runs = number_from("PNFS_SIM_RUNS", kPnfsRuns * (number_from("PNFSLAB_SLOW", 0) != 0 ? 10 : 1));
  const uint64_t first = number_from("PNFS_SIM_SEED", GetParam() * runs + 1);
  const bool one = std::getenv("PNFS_SIM_SEED") != nullptr;
  int bad = 0;
  for (uint64_t seed = first; seed < first + (one ? 1 : runs) && bad < kPnfsBadSeeds; ++seed) {
    PnfsDriver driver(seed, {.traced = one}, marks);
    const std::string problem = driver.run();
    if (problem.empty()) continue;
    ++bad;
    if (one) std::cerr << driver.trace_end(2000);
    ADD_FAILURE() << "seed " << seed << ": " << problem << "\nrun again with PNFS_SIM_SEED=" << seed
                  << " to see its trace";
  }
  if (one) return;
  for (const std::string& mark : kPnfsMarks) EXPECT_TRUE(marks.contains(mark)) << "never met: " << mark;
}
INSTANTIATE_TEST_SUITE_P(Seeds, PnfsBatch, ::testing::Range<uint64_t>(0, kPnfsBatches));

// ---- planted bugs

constexpr uint64_t kPnfsRunsForABug = 500;

struct PnfsBug {
  const char* name;
  std::map<std::string, std::vector<std::string>> faults;
  std::function<void(Options&)> change;
};
void PrintTo(const PnfsBug& bug, std::ostream* out) { *out << bug.name; }

struct PnfsPlantedBug : ::testing::TestWithParam<PnfsBug> {};

TEST_P(PnfsPlantedBug, IsFound) {
  const bool slow = number_from("PNFSLAB_SLOW", 0) != 0;
  const Quiet quiet;
  std::set<std::string> marks;
  const uint64_t runs = kPnfsRunsForABug * (slow ? 10 : 1);
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    PnfsDriver driver(seed, {.faults = GetParam().faults, .change = GetParam().change}, marks);
    const std::string problem = driver.run();
    if (problem.empty()) continue;
    std::cout << "seed " << seed << ": " << problem << "\n";
    EXPECT_EQ(problem.find("nothing gets on"), problem.npos) << "a hang shows that something is wrong, not what";
    return;
  }
  FAIL() << "not found in " << runs << " runs";
}

// A lease that is too long takes more coincidences than so many runs meet: CutOff.ALeaseThatIsTooLongShows plants it.
const PnfsBug kPnfsBugs[] = {
    {"DataServersLeaveOutTheFlush", {{"ds", {"before block.FLUSH do return OK"}}}, {}},
    {"TheMdsLeavesOutTheFlush", {{"mds", {"before block.FLUSH do return OK"}}}, {}},
    {"TheVerifierIsKept",
     {{"ds",
       {"after WRITE do set writeverf=hex:0102030405060708", "after COMMIT do set writeverf=hex:0102030405060708"}}},
     {}},
    {"CloseIsAnsweredEarly", {{"mds", {"before control.AWAIT_VERDICTS do return OK"}}}, {}},
    {"VerdictsAreNotRevoked", {{"ds", {"before control.REVOKE_STATEID do return OK"}}}, {}},
    {"ARevokeDoesNotWaitForIo", {{"ds", {"before control.AWAIT_IO do return OK"}}}, {}},
    {"GrantsOutliveTheirEpoch", {{"ds", {"before control.DROP_GRANTS do return OK"}}}, {}},
    {"TheFenceHoldsNobody", {{"mds", {"before control.FENCE do return OK"}}}, {}},
    {"NoQuarantine",
     {{"mds", {"before control.QUARANTINE do return OK"}}},
     [](Options& o) { o.lun.persistent_reservations = false; }},
    {"CommitDoesNotTellTheSize", {}, [](Options& o) { o.ds.lazy_size = true; }},
    {"FileSyncDoesNotTellTheSize", {{"mds", {"before control.FILE_CHANGED do return OK"}}}, {}},
    {"LayoutCommitIsForgotten", {{"mds", {"before LAYOUTCOMMIT do return OK force"}}}, {}},
    {"DataSyncIsNotDurable",
     {{"ds",
       {"before WRITE stable=DATA_SYNC4,FILE_SYNC4 do set stable=UNSTABLE4",
        "after WRITE do set committed=FILE_SYNC4"}}},
     {}},
    {"TruncationDoesNothing", {{"mds", {"before SETATTR nth=2 do return OK force"}}}, {}},
};
INSTANTIATE_TEST_SUITE_P(Bugs, PnfsPlantedBug, ::testing::ValuesIn(kPnfsBugs),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pnfs::cluster
