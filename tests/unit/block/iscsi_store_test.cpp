// IscsiBlockStore against a real target, tgt, and against our own.
#include "tests/support/target_process.hpp"
#include "tests/unit/block/iscsi_fixture.hpp"

namespace pnfs::block {
namespace {

using support::PnfsTarget;
using support::TargetProcess;
using support::TgtTarget;

enum class TargetKind { tgt, pnfs };

std::unique_ptr<TargetProcess> make_target(TargetKind kind) {
  if (kind == TargetKind::tgt) return std::make_unique<TgtTarget>(64 << 20);
  return std::make_unique<PnfsTarget>(64 << 20);
}

struct IscsiStoreTest : ::testing::TestWithParam<TargetKind> {
  RealTime time;
  std::unique_ptr<TargetProcess> target;

  void SetUp() override {
    if (GetParam() == TargetKind::tgt && !TgtTarget::available()) GTEST_SKIP() << "tgtd needs the package tgt and root";
    target = make_target(GetParam());
    ASSERT_TRUE(target->start());
  }
  Result<std::unique_ptr<BlockStore>> open(uint32_t isid = 1) {
    IscsiOptions options;
    options.isid.random = isid;
    return time.run(open_iscsi(time.context, time.timers, target->url(), options));
  }
};

INSTANTIATE_TEST_SUITE_P(Targets, IscsiStoreTest, ::testing::Values(TargetKind::tgt, TargetKind::pnfs),
                         [](const auto& info) { return info.param == TargetKind::tgt ? "tgt" : "pnfs_target"; });

std::vector<std::byte> pattern(size_t bytes, unsigned seed) {
  std::vector<std::byte> data(bytes);
  uint32_t x = seed * 2654435761u + 1;
  for (auto& b : data) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<std::byte>(x >> 24);
  }
  return data;
}

TEST_P(IscsiStoreTest, ReadsBackWhatWasWrittenInPieces) {
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

TEST_P(IscsiStoreTest, NoTargetNoLunNoListenerAreSentences) {
  auto open_url = [&](std::string url) { return time.run(open_iscsi(time.context, time.timers, url, {})); };
  auto nobody = open_url("iscsi://127.0.0.1:1/iqn.x/0");
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, Errc::refused);
  EXPECT_NE(nobody.error().reason.find("no iSCSI target answers at 127.0.0.1:1"), std::string::npos);
  auto name = open_url(fmt::format("iscsi://127.0.0.1:{}/iqn.2026-01.org.pnfslab:absent/1", target->port()));
  ASSERT_FALSE(name.has_value());
  EXPECT_EQ(name.error().code, Errc::not_found) << name.error().reason;
  auto lun = open_url(target->url(9));
  ASSERT_FALSE(lun.has_value());
  EXPECT_EQ(lun.error().code, Errc::not_found) << lun.error().reason;
}

TEST_P(IscsiStoreTest, PreemptedNodeIsFenced) {
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

// tgt answers MODE SENSE of a node that is not registered by RESERVATION CONFLICT, as SPC-4 5.12.1 says.
TEST_P(IscsiStoreTest, ANodeThatComesLateLearnsAllOnceItIsRegistered) {
  auto first = open(1);
  ASSERT_OK(first);
  ASSERT_OK(time.run((*first)->register_key(0x11)));
  ASSERT_OK(time.run((*first)->reserve(0x11)));
  auto second = open(2);
  ASSERT_OK(second);
  const Geometry& late = (*second)->geometry();
  EXPECT_TRUE(late.write_cache);
  ASSERT_OK(time.run((*second)->register_key(0x22)));
  const Geometry& early = (*first)->geometry();
  EXPECT_EQ(late.fua, early.fua);
  EXPECT_EQ(late.write_cache, early.write_cache);
  EXPECT_EQ(late.read_only, early.read_only);
  EXPECT_EQ(late.preempt_and_abort, early.preempt_and_abort);
  EXPECT_EQ(late.compare_and_write_bytes, early.compare_and_write_bytes);
  time.run((*first)->close());
  time.run((*second)->close());
}

TEST_P(IscsiStoreTest, CompareAndWriteWorksOrIsRefusedOnce) {
  auto store = open();
  ASSERT_OK(store);
  const std::vector<std::byte> zeros(512), ones(512, std::byte{1});
  const auto done = time.run((*store)->compare_and_write(1024, zeros, ones));
  if (GetParam() == TargetKind::pnfs) {
    ASSERT_OK(done);
    EXPECT_TRUE(*done);
  } else {
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Errc::unsupported);
    EXPECT_EQ((*store)->geometry().compare_and_write_bytes, 0u);
  }
  time.run((*store)->close());
}

TEST_P(IscsiStoreTest, RestartedTargetRaisesTheEpochAndForgottenKeyMeansFenced) {
  auto store = open();
  ASSERT_OK(store);
  const uint64_t epoch = (*store)->epoch();
  ASSERT_OK(time.run((*store)->register_key(0x33)));
  auto data = pattern(4096, 4);
  const ConstPiece out[] = {data};
  ASSERT_OK(time.run((*store)->write(0, out)));
  target->kill();
  if (GetParam() == TargetKind::pnfs) {
    // Our target keeps registrations (APTPL): the node may go on, until they are gone too.
    ASSERT_TRUE(target->start());
    ASSERT_OK(time.run((*store)->write(0, out)));
    target->kill();
    ASSERT_EQ(unlink((target->file() + ".registrations").c_str()), 0);
  }
  ASSERT_TRUE(target->start());
  auto late = time.run((*store)->write(0, out));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Errc::fenced) << late.error().reason;
  EXPECT_GT((*store)->epoch(), epoch);
  ASSERT_OK(time.run((*store)->register_key(0x34)));
  ASSERT_OK(time.run((*store)->write(0, out)));
  time.run((*store)->close());
}

TEST(IscsiStore, BlocksOf4096Bytes) {
  PnfsTarget target(64 << 20, {"--block-size", "4096", "--thin", "--cache", "volatile"});
  ASSERT_TRUE(target.start());
  RealTime time;
  auto store = time.run(open_iscsi(time.context, time.timers, target.url(), {}));
  ASSERT_OK(store);
  EXPECT_EQ((*store)->geometry().block_bytes, 4096u);
  EXPECT_EQ((*store)->geometry().bytes(), 64u << 20);
  const auto data = pattern(3 * 4096, 5);
  const ConstPiece out[] = {std::span(data).first(100), std::span(data).subspan(100)};
  ASSERT_OK(time.run((*store)->write(5 * 4096, out)));
  ASSERT_OK(time.run((*store)->zero(6 * 4096, 4096)));
  std::vector<std::byte> back(data.size());
  const Piece in[] = {back};
  ASSERT_OK(time.run((*store)->read(5 * 4096, in)));
  EXPECT_TRUE(std::equal(back.begin(), back.begin() + 4096, data.begin()));
  EXPECT_TRUE(std::all_of(back.begin() + 4096, back.begin() + 8192, [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_TRUE(std::equal(back.begin() + 8192, back.end(), data.begin() + 8192));
  EXPECT_EQ(time.run((*store)->write(512, out)).error().code, Errc::invalid);
  time.run((*store)->close());
}

TEST(IscsiStore, ChapBothWays) {
  const auto target = PnfsTarget::configured(1 << 20, [](const std::string& file) {
    return fmt::format(
        "Target {}\n IncomingUser joe joes-long-secret\n OutgoingUser lab labs-long-secret\n Lun 1 Path={}\n",
        TargetProcess::iqn(), file);
  });
  ASSERT_TRUE(target->start());
  RealTime time;
  const auto attempt = [&](const std::string& login, const std::string& more) {
    const std::string url = fmt::format("iscsi://{}127.0.0.1:{}/{}/1{}", login, target->port(), target->iqn(), more);
    auto store = time.run(open_iscsi(time.context, time.timers, url, {}));
    if (store) time.run((*store)->close());
    return store ? "" : store.error().reason;
  };
  EXPECT_EQ(attempt("joe%joes-long-secret@", ""), "");
  EXPECT_EQ(attempt("joe%joes-long-secret@", "?target_user=lab&target_password=labs-long-secret"), "");
  EXPECT_THAT(attempt("joe%joes-wrong-secret@", ""), ::testing::HasSubstr("check CHAP user"));
  EXPECT_THAT(attempt("", ""), ::testing::HasSubstr("refused the login"));
  // The target does not know its own secret: not the target we mean.
  const std::string impostor = attempt("joe%joes-long-secret@", "?target_user=lab&target_password=another-secret-1");
  EXPECT_NE(impostor, "");
  EXPECT_EQ(impostor.find("another-secret"), std::string::npos) << impostor;
}

}  // namespace
}  // namespace pnfs::block
