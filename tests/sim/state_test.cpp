// Thousands of runs of random clients against the metadata server and a model at once; and bugs that are planted, to
// show that such runs find them.
//
// A difference is told with its seed. To see that run alone, with what the server told at each operation:
//   PNFSLAB_SEED=17 build/asan/bin/sim --gtest_filter='*OneSeed*'
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/sim/state_driver.hpp"

namespace pnfs::cluster {
namespace {

constexpr int kBatches = 4;
constexpr int kRunsPerBatch = 1000;
constexpr int kRunsForABug = 500;  // a planted one is found within so many

// What every batch must have met, or it proves nothing.
const Marks kMarks{"open",
                   "upgrade",
                   "downgrade",
                   "downgrade refused",
                   "close",
                   "share denied",
                   "lock",
                   "lock denied",
                   "unlock",
                   "write",
                   "old stateid",
                   "recall",
                   "revoke",
                   "read delegation",
                   "write delegation",
                   "revoked flag",
                   "replay",
                   "slot misuse",
                   "slot shrink",
                   "asleep",
                   "courtesy",
                   "courtesy conflict",
                   "back after a conflict",
                   "client restart",
                   "server restart",
                   "grace",
                   "grace ended early",
                   "reclaim",
                   "lock reclaimed",
                   "delegation reclaimed",
                   "delegation returned"};

// Requests and answers that get lost, so that clients ask again on a new connection, and answers that come twice.
const std::vector<std::string> kLosses{"reply * probability=2% do drop reply", "reply * probability=2% do close",
                                       "before SEQUENCE probability=1% do drop request",
                                       "reply * probability=2% do duplicate"};

struct StateBatch : ::testing::TestWithParam<int> {};

TEST_P(StateBatch, ServerAndModelAgree) {
  Marks marks;
  for (int i = 0; i < kRunsPerBatch; ++i) {
    const uint64_t seed = static_cast<uint64_t>(GetParam()) * kRunsPerBatch + static_cast<uint64_t>(i) + 1;
    StateDriver driver(seed, {.faults = kLosses}, marks);
    ASSERT_EQ(driver.run(), "") << "seed " << seed;
  }
  for (const std::string& mark : kMarks) EXPECT_TRUE(marks.contains(mark)) << "never met: " << mark;
}
INSTANTIATE_TEST_SUITE_P(Seeds, StateBatch, ::testing::Range(0, kBatches));

TEST(StateRun, OneSeed) {
  const char* seed = std::getenv("PNFSLAB_SEED");
  if (seed == nullptr) GTEST_SKIP() << "PNFSLAB_SEED says which";
  Marks marks;
  StateDriver driver(std::strtoull(seed, nullptr, 10), {.faults = kLosses, .trace = true}, marks);
  const std::string problem = driver.run();
  std::fputs(driver.trace().c_str(), stderr);
  EXPECT_EQ(problem, "");
}

struct Bug {
  const char* name;
  std::vector<std::string> faults;
  std::function<void(Options&)> change;
};

struct PlantedBug : ::testing::TestWithParam<Bug> {};

TEST_P(PlantedBug, IsFound) {
  Marks marks;
  for (int seed = 1; seed <= kRunsForABug; ++seed) {
    StateDriver driver(static_cast<uint64_t>(seed), {.faults = GetParam().faults, .change = GetParam().change}, marks);
    if (!driver.run().empty()) return;
  }
  FAIL() << "not found in " << kRunsForABug << " runs";
}

const Bug kBugs[] = {
    {"CloseDoesNothing", {"before CLOSE nth=2 do return OK force"}, {}},
    {"UnlockDoesNothing", {"before LOCKU do return OK force"}, {}},
    {"DowngradeDoesNothing", {"before OPEN_DOWNGRADE do return OK force"}, {}},
    {"AccessIsWidened", {"before OPEN do set share_access=3"}, {}},
    {"DenyIsForgotten", {"before OPEN do set share_deny=0"}, {}},
    {"DeniedLocksSucceed", {"after LOCK status=DENIED do return OK"}, {}},
    {"WriteLocksAreReadLocks", {"before LOCK do set locktype=READ_LT"}, {}},
    {"LocksAreTooShort", {"before LOCK do set length=1"}, {}},
    {"WritesAreLost", {"before WRITE nth=2 do set offset=1000"}, {}},
    {"OpenStateidsAreOld", {"after OPEN nth=4 do stale resok4.stateid"}, {}},
    {"RevocationIsNotTold", {"after SEQUENCE do set sr_status_flags=0"}, {}},
    {"HeldStateidsAreFreed", {"before FREE_STATEID do return OK force"}, {}},
    {"DeadStateidsPassTheTest", {"after TEST_STATEID do set tsr_status_codes[0]=NFS4_OK"}, {}},
    {"RepliesAreNotKept", {"before SEQUENCE do set sa_cachethis=false", kLosses[0], kLosses[1]}, {}},
    {"SlotsThatAreNotThereAreTaken", {"before SEQUENCE sa_slotid=1000 do set sa_slotid=7 then set sa_highest_slotid=7"}, {}},
    {"RecallsAreNotSent", {"before CB_RECALL do drop request"}, {}},
    {"NewBootsAreNotSeen", {"before EXCHANGE_ID do set co_verifier=hex:0000000000000001"}, {}},
    {"ReclaimCompleteIsForgotten", {"before RECLAIM_COMPLETE do return OK force"}, {}},
    {"NoGrace", {}, [](Options& o) { o.mds.grace = std::chrono::milliseconds(1); }},
    {"NoCourtesy", {}, [](Options& o) { o.mds.courtesy = Duration(0); }},
};
INSTANTIATE_TEST_SUITE_P(Bugs, PlantedBug, ::testing::ValuesIn(kBugs),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace pnfs::cluster
