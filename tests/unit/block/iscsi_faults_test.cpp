// What the initiator makes of a target that answers late, wrongly or not at all: our target in this process, with a
// hook that says what happens to each command.
#include "common/io/tcp_network.hpp"
#include "testbed/target/config.hpp"
#include "tests/unit/block/iscsi_fixture.hpp"

namespace pnfs::block {
namespace {

using namespace std::chrono_literals;
using target::FaultAction;
using Kind = FaultAction::Kind;

constexpr uint8_t kWrite16 = 0x8a, kSynchronizeCache16 = 0x91, kCompareAndWrite = 0x89, kRead16 = 0x88;

struct Hook final : target::FaultHook {
  std::map<uint8_t, std::vector<FaultAction>> script;  // by opcode: what happens to the next ones
  std::map<uint8_t, int> seen;
  FaultAction on_command(const target::FaultQuery& query) override {
    ++seen[query.opcode];
    auto& actions = script[query.opcode];
    if (actions.empty()) return {};
    const FaultAction action = actions.front();
    actions.erase(actions.begin());
    return action;
  }
};

FaultAction act(Kind kind) {
  FaultAction action;
  action.kind = kind;
  return action;
}

FaultAction answer(target::scsi::Status status) {
  FaultAction action = act(Kind::status);
  action.status = status;
  return action;
}

FaultAction sense(target::scsi::SenseKey key, target::scsi::Asc asc) {
  FaultAction action = act(Kind::check_condition);
  action.key = key;
  action.asc = asc;
  return action;
}

struct IscsiFaultsTest : ::testing::Test {
  RealTime time;
  SeededRandom random{1};
  io::TcpNetwork network{time.context};
  Hook hook;
  target::Server server{time.timers, random, {}};
  std::string url;
  std::unique_ptr<BlockStore> store;
  std::vector<std::byte> data = std::vector<std::byte>(4096, std::byte{7});

  void SetUp() override {
    spdlog::set_level(spdlog::level::err);
    target::Config config;
    target::TargetSpec spec;
    spec.config.rules.name = "iqn.t:t";
    target::UnitSpec unit;
    unit.type = target::UnitSpec::Type::memory;
    unit.size_bytes = 8 << 20;
    unit.unit.lun = 1;
    unit.unit.thin = true;
    unit.unit.cache = target::scsi::CacheMode::volatile_memory;
    spec.units.push_back(unit);
    config.targets.push_back(std::move(spec));
    ASSERT_OK(target::build(server, std::move(config)));
    auto listener = network.listen({io::asio::ip::make_address("127.0.0.1"), 0});
    ASSERT_OK(listener);
    url = fmt::format("iscsi://{}/iqn.t:t/1", io::to_string((*listener)->local()));
    server.serve(std::move(*listener));
    server.set_fault_hook(&hook);
    IscsiOptions options;
    options.command_timeout = 1s;
    auto opened = time.run(open_iscsi(time.context, time.timers, url, options));
    ASSERT_OK(opened);
    store = std::move(*opened);
    hook.seen.clear();
  }
  void TearDown() override {
    if (store) time.run(store->close());
    time.run(server.stop());
    spdlog::set_level(spdlog::level::info);
  }
  Result<void> write(uint64_t offset = 0) {
    const ConstPiece out[] = {data};
    return time.run(store->write(offset, out, Fua::no));
  }
  std::vector<std::byte> read(uint64_t offset, size_t bytes) {
    std::vector<std::byte> back(bytes);
    const Piece in[] = {back};
    EXPECT_OK(time.run(store->read(offset, in)));
    return back;
  }
  // Everything of `data` as blocks of one value.
  static std::vector<std::byte> filled(size_t bytes, int value) {
    return std::vector<std::byte>(bytes, static_cast<std::byte>(value));
  }
};

TEST_F(IscsiFaultsTest, CompareAndWriteSwapsOrSaysThatItDiffers) {
  EXPECT_EQ(store->geometry().compare_and_write_bytes, 255u * 512);
  const auto zeros = filled(1024, 0), ones = filled(1024, 1);
  auto done = time.run(store->compare_and_write(512, zeros, ones));
  ASSERT_OK(done);
  EXPECT_TRUE(*done);
  EXPECT_EQ(read(512, 1024), ones);
  done = time.run(store->compare_and_write(512, zeros, filled(1024, 2)));
  ASSERT_OK(done);
  EXPECT_FALSE(*done);
  EXPECT_EQ(read(512, 1024), ones);
  EXPECT_EQ(time.run(store->compare_and_write(0, filled(512 * 256, 0), filled(512 * 256, 1))).error().code,
            Errc::unsupported);
}

TEST_F(IscsiFaultsTest, CompareAndWriteWhoseAnswerWasLostIsNotSentAgain) {
  const auto zeros = filled(512, 0), ones = filled(512, 1);
  hook.script[kCompareAndWrite] = {act(Kind::drop_answer)};
  const auto done = time.run(store->compare_and_write(0, zeros, ones));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Errc::closed) << done.error().reason;
  EXPECT_EQ(hook.seen[kCompareAndWrite], 1);
  EXPECT_EQ(read(0, 512), ones);  // it was done all the same
  EXPECT_EQ(hook.seen[kCompareAndWrite], 1);
}

TEST_F(IscsiFaultsTest, AWriteWhoseAnswerWasLostIsSentAgainAndTheEpochRises) {
  const uint64_t epoch = store->epoch();
  hook.script[kWrite16] = {act(Kind::drop_answer)};
  ASSERT_OK(write());
  EXPECT_EQ(hook.seen[kWrite16], 2);
  EXPECT_GT(store->epoch(), epoch);
  EXPECT_EQ(read(0, 4096), data);
}

TEST_F(IscsiFaultsTest, AResetConnectionIsMadeAnew) {
  const uint64_t epoch = store->epoch();
  hook.script[kRead16] = {act(Kind::reset_connection), act(Kind::reset_connection)};
  EXPECT_EQ(read(0, 512), filled(512, 0));
  EXPECT_EQ(hook.seen[kRead16], 3);
  EXPECT_GE(store->epoch(), epoch + 2);
}

TEST_F(IscsiFaultsTest, BusyAndTaskSetFullAreTriedAgain) {
  using target::scsi::Status;
  const uint64_t epoch = store->epoch();
  hook.script[kWrite16] = {answer(Status::busy), answer(Status::task_set_full), answer(Status::busy)};
  ASSERT_OK(write());
  EXPECT_EQ(hook.seen[kWrite16], 4);
  EXPECT_EQ(store->epoch(), epoch);  // nothing is lost by it
}

TEST_F(IscsiFaultsTest, APowerFailureUnderAFlushRaisesTheEpochBeforeTheFlushSucceeds) {
  ASSERT_OK(write());
  const uint64_t epoch = store->epoch();
  hook.script[kSynchronizeCache16] = {act(Kind::lose_cache)};
  ASSERT_OK(time.run(store->flush()));
  EXPECT_GT(store->epoch(), epoch);  // who compares the two knows that this flush kept nothing
  EXPECT_EQ(read(0, 4096), filled(4096, 0));
}

TEST_F(IscsiFaultsTest, AResetAttentionRaisesTheEpochOthersDoNot) {
  using target::scsi::Asc;
  using target::scsi::SenseKey;
  uint64_t epoch = store->epoch();
  hook.script[kWrite16] = {sense(SenseKey::unit_attention, Asc::bus_device_reset)};
  ASSERT_OK(write());
  EXPECT_GT(store->epoch(), epoch);
  epoch = store->epoch();
  hook.script[kWrite16] = {sense(SenseKey::unit_attention, Asc::reservations_preempted)};
  ASSERT_OK(write());
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_EQ(hook.seen[kWrite16], 4);
}

TEST_F(IscsiFaultsTest, AMediumErrorReachesTheCallerInWords) {
  hook.script[kWrite16] = {sense(target::scsi::SenseKey::medium_error, target::scsi::Asc::write_error)};
  const auto done = write();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Errc::io);
  EXPECT_THAT(done.error().reason, ::testing::HasSubstr("MEDIUM"));
  EXPECT_EQ(hook.seen[kWrite16], 1);
}

TEST_F(IscsiFaultsTest, AShortTransferIsAnError) {
  FaultAction action = act(Kind::short_transfer);
  action.bytes = 512;
  hook.script[kWrite16] = {action};
  hook.script[kRead16] = {action};
  EXPECT_EQ(write().error().code, Errc::io);
  std::vector<std::byte> back(4096);
  const Piece in[] = {back};
  EXPECT_EQ(time.run(store->read(0, in)).error().code, Errc::io);
}

TEST_F(IscsiFaultsTest, ATargetThatAsksForLogoutIsLeftAndMetAgain) {
  hook.script[kWrite16] = {act(Kind::async_logout)};
  ASSERT_OK(write());
  ASSERT_OK(write(8192));
  EXPECT_EQ(read(0, 4096), data);
}

}  // namespace
}  // namespace pnfs::block
