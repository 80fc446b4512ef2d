// IscsiBlockStore against a real target: tgt.
#include "tests/unit/block/iscsi_fixture.hpp"
#include "tests/unit/block/target_process.hpp"

namespace pnfs::block {
namespace {

struct IscsiTgtTest : ::testing::Test {
  RealTime time;
  TgtTarget target{64 << 20};

  void SetUp() override {
    if (!TgtTarget::available()) GTEST_SKIP() << "tgtd needs the package tgt and root";
    ASSERT_TRUE(target.start());
  }
  Result<std::unique_ptr<BlockStore>> open(uint32_t isid = 1) {
    IscsiOptions options;
    options.isid.random = isid;
    return time.run(open_iscsi(time.context, time.timers, target.url(), options));
  }
};

std::vector<std::byte> pattern(size_t bytes, unsigned seed) {
  std::vector<std::byte> data(bytes);
  uint32_t x = seed * 2654435761u + 1;
  for (auto& b : data) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<std::byte>(x >> 24);
  }
  return data;
}

TEST_F(IscsiTgtTest, ReadsBackWhatWasWrittenInPieces) {
  auto store = open();
  ASSERT_OK(store);
  EXPECT_EQ((*store)->geometry().bytes(), 64u << 20);
  EXPECT_EQ((*store)->geometry().block_bytes, 512u);
  EXPECT_TRUE((*store)->geometry().persistent_reservations);
  auto data = pattern(3 << 20, 1);  // more than one command
  const ConstPiece out[] = {std::span(data).first(1000), std::span(data).subspan(1000)};
  ASSERT_OK(time.run((*store)->write(4096, out)));
  ASSERT_OK(time.run((*store)->flush()));
  std::vector<std::byte> back(data.size());
  const Piece in[] = {std::span(back).first(512 * 3 + 7), std::span(back).subspan(512 * 3 + 7)};
  ASSERT_OK(time.run((*store)->read(4096, in)));
  EXPECT_EQ(back, data);
  ASSERT_OK(time.run((*store)->zero(8192, 8192)));
  ASSERT_OK(time.run((*store)->read(4096, in)));
  std::fill_n(data.begin() + 4096, 8192, std::byte{0});
  EXPECT_EQ(back, data);
  auto beyond = time.run((*store)->read(64 << 20, in));
  EXPECT_EQ(beyond.error().code, Errc::io);
  time.run((*store)->close());
}

TEST_F(IscsiTgtTest, NoTargetNoLunNoListenerAreSentences) {
  auto open_url = [&](std::string url) { return time.run(open_iscsi(time.context, time.timers, url, {})); };
  auto nobody = open_url("iscsi://127.0.0.1:1/iqn.x/0");
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, Errc::refused);
  EXPECT_NE(nobody.error().reason.find("no iSCSI target answers at 127.0.0.1:1"), std::string::npos);
  auto name = open_url(fmt::format("iscsi://127.0.0.1:{}/iqn.2026-01.org.pnfslab:absent/1", target.port()));
  ASSERT_FALSE(name.has_value());
  EXPECT_EQ(name.error().code, Errc::not_found) << name.error().reason;
  auto lun = open_url(target.url(9));
  ASSERT_FALSE(lun.has_value());
  EXPECT_EQ(lun.error().code, Errc::not_found) << lun.error().reason;
}

TEST_F(IscsiTgtTest, PreemptedNodeIsFenced) {
  auto first = open(1);
  auto second = open(2);
  ASSERT_OK(first);
  ASSERT_OK(second);
  ASSERT_OK(time.run((*first)->register_key(0x11)));
  ASSERT_OK(time.run((*first)->reserve(0x11)));
  auto data = pattern(4096, 3);
  const ConstPiece out[] = {data};
  // Not registered: writes conflict, reads do not.
  EXPECT_EQ(time.run((*second)->write(0, out)).error().code, Errc::fenced);
  ASSERT_OK(time.run((*second)->register_key(0x22)));
  ASSERT_OK(time.run((*second)->write(0, out)));
  auto seen = time.run((*second)->reservation());
  ASSERT_OK(seen);
  EXPECT_EQ(seen->holder, 0x11u);
  EXPECT_EQ(seen->type, 5);
  EXPECT_EQ(seen->keys.size(), 2u);
  ASSERT_OK(time.run((*first)->preempt(0x11, 0x22, true)));
  EXPECT_EQ(time.run((*second)->write(0, out)).error().code, Errc::fenced);
  ASSERT_OK(time.run((*first)->write(0, out)));
  time.run((*first)->close());
  time.run((*second)->close());
}

TEST_F(IscsiTgtTest, RestartedTargetRaisesTheEpochAndForgottenKeyMeansFenced) {
  auto store = open();
  ASSERT_OK(store);
  const uint64_t epoch = (*store)->epoch();
  ASSERT_OK(time.run((*store)->register_key(0x33)));
  auto data = pattern(4096, 4);
  const ConstPiece out[] = {data};
  ASSERT_OK(time.run((*store)->write(0, out)));
  target.kill();
  ASSERT_TRUE(target.start());
  auto late = time.run((*store)->write(0, out));
  ASSERT_FALSE(late.has_value());  // tgt keeps no registrations over a restart
  EXPECT_EQ(late.error().code, Errc::fenced) << late.error().reason;
  EXPECT_GT((*store)->epoch(), epoch);
  ASSERT_OK(time.run((*store)->register_key(0x34)));
  ASSERT_OK(time.run((*store)->write(0, out)));
  time.run((*store)->close());
}

}  // namespace
}  // namespace pnfs::block
