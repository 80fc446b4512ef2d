// The target is killed again and again under a load that checks itself: nothing that was written and flushed may be
// lost, no COMPARE AND WRITE is done twice, and I/O goes on within two seconds of the unit being ready again.
// 5 kills; 50 with PNFSLAB_SLOW=1; PNFSLAB_KILLS sets another number.
#include "common/io/tcp_network.hpp"
#include "testbed/target/config.hpp"
#include "tests/support/target_process.hpp"
#include "tests/unit/block/iscsi_fixture.hpp"
#include "tests/unit/block/verifying_load.hpp"

namespace pnfs::block {
namespace {

using namespace std::chrono_literals;
using support::PnfsTarget;
using support::TargetProcess;
using support::TgtTarget;

constexpr Duration kResumeWithin = 2s;

int kills() {
  if (const char* text = std::getenv("PNFSLAB_KILLS")) return std::atoi(text);
  const char* slow = std::getenv("PNFSLAB_SLOW");
  return slow != nullptr && std::string_view(slow) == "1" ? 50 : 5;
}

struct KillReport {
  std::string wrong;  // "" if nothing went wrong
  uint64_t operations = 0;
  uint64_t increments = 0;
  Duration longest_pause{};  // from the unit being ready to the next answer
};

// Runs the loop until `done` or for `limit`.
template <class Done>
bool run_until(RealTime& time, Duration limit, Done done) {
  const TimePoint deadline = time.clock.now() + limit;
  while (!done() && time.clock.now() < deadline) {
    time.context.restart();
    time.context.run_for(5ms);
  }
  return done();
}

std::string kill_once(RealTime& time, TargetProcess& target, VerifyingLoad& load, Random& random, KillReport& report) {
  run_until(time, std::chrono::milliseconds(50 + random.below(300)), [] { return false; });
  target.kill();
  run_until(time, std::chrono::milliseconds(random.below(200)), [] { return false; });
  if (!target.start()) return "the target did not start again";
  // start() returns when the unit answers TEST UNIT READY.
  const TimePoint ready = time.clock.now();
  const uint64_t before = load.operations();
  run_until(time, 30s, [&] { return load.operations() > before || !load.wrong().empty(); });
  if (!load.wrong().empty()) return load.wrong();
  if (load.operations() == before) return "no I/O after the target came back";
  report.longest_pause = std::max<Duration>(report.longest_pause, time.clock.now() - ready);
  return "";
}

KillReport run_with_kills(TargetProcess& target, int count, uint64_t seed) {
  KillReport report;
  RealTime time;
  SeededRandom random(seed);
  auto opened = time.run(open_iscsi(time.context, time.timers, target.url(), {}));
  if (!opened) return {.wrong = opened.error().reason};
  BlockStore& store = **opened;
  VerifyingLoad load(time.context, store, seed);
  for (int i = 0; i < count && report.wrong.empty(); ++i) report.wrong = kill_once(time, target, load, random, report);
  load.stop();
  if (!run_until(time, 60s, [&] { return !load.running(); })) {
    ADD_FAILURE() << "the load hangs";
    std::abort();  // its coroutines refer to what would be destroyed here
  }
  if (report.wrong.empty()) report.wrong = load.wrong();
  if (report.wrong.empty()) {
    // One more death, so that what only a cache holds is gone.
    target.kill();
    if (!target.start()) return {.wrong = "the target did not start again"};
    time.run(VerifyingLoad::verify(load));
    report.wrong = load.wrong();
  }
  time.run(store.close());
  report.operations = load.operations();
  report.increments = load.increments();
  return report;
}

// pnfs-target's server with a volatile cache in a child of this process: it answers GOOD to every SYNCHRONIZE CACHE and
// does nothing.
class LyingTarget final : public TargetProcess {
 public:
  using TargetProcess::TargetProcess;

  bool start() override {
    int ready[2];
    if (pipe(ready) != 0) return false;
    if (fork_child(ready[1])) serve(ready[1]);
    close(ready[1]);
    char byte = 0;
    const bool up = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    return up;
  }

 private:
  struct Liar final : target::FaultHook {
    target::FaultAction on_command(const target::FaultQuery& query) override {
      target::FaultAction action;
      if (query.name.starts_with("SYNCHRONIZE CACHE")) action.kind = target::FaultAction::Kind::lie;
      return action;
    }
  };

  [[noreturn]] void serve(int ready) const {
    RealTime time;
    SystemRandom random;
    io::TcpNetwork network(time.context);
    Liar liar;
    target::Server server(time.timers, random, {});
    target::TargetSpec spec;
    spec.config.rules.name = iqn();
    target::UnitSpec unit;
    unit.path = file();
    unit.unit.lun = 1;
    unit.unit.cache = target::scsi::CacheMode::volatile_memory;
    spec.units.push_back(unit);
    target::Config config;
    config.targets.push_back(std::move(spec));
    auto listener = network.listen({io::asio::ip::make_address("127.0.0.1"), port()});
    if (!listener || !target::build(server, std::move(config))) _exit(1);
    server.set_fault_hook(&liar);
    server.serve(std::move(*listener));
    if (write(ready, "r", 1) != 1) _exit(1);
    time.context.run();
    _exit(0);
  }
};

struct IscsiKillTest : ::testing::Test {
  void SetUp() override { spdlog::set_level(spdlog::level::err); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  void expect_nothing_lost(TargetProcess& target, uint64_t seed, bool compares) {
    ASSERT_TRUE(target.start());
    const KillReport report = run_with_kills(target, kills(), seed);
    EXPECT_EQ(report.wrong, "");
    EXPECT_LT(report.longest_pause, kResumeWithin);
    EXPECT_GT(report.operations, static_cast<uint64_t>(kills()));
    if (compares) EXPECT_GT(report.increments, 0u);
    fmt::print("{} kills, {} operations, {} increments, longest pause {} ms\n", kills(), report.operations,
               report.increments, std::chrono::duration_cast<std::chrono::milliseconds>(report.longest_pause).count());
  }
};

TEST_F(IscsiKillTest, TgtLosesNothingThatWasFlushed) {
  if (!TgtTarget::available()) GTEST_SKIP() << "tgtd needs the package tgt and root";
  TgtTarget target(64 << 20);
  expect_nothing_lost(target, 1, false);  // tgt has no COMPARE AND WRITE
}

TEST_F(IscsiKillTest, PnfsTargetWithVolatileCacheLosesNothingThatWasFlushed) {
  PnfsTarget target(64 << 20);
  expect_nothing_lost(target, 2, true);
}

// The proof that the test above can fail: the same target, but it ignores SYNCHRONIZE CACHE.
TEST_F(IscsiKillTest, ATargetThatIgnoresFlushesIsFoundOut) {
  LyingTarget target(64 << 20);
  ASSERT_TRUE(target.start());
  const KillReport report = run_with_kills(target, 5, 3);
  EXPECT_THAT(report.wrong, ::testing::StartsWith("lost: "));
}

}  // namespace
}  // namespace pnfs::block
