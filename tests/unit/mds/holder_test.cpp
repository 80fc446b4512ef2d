// GETATTR while another client holds a write delegation (RFC 8881 10.4.3).
#include <algorithm>

#include "tests/unit/mds/mds_fixture.hpp"

namespace pnfs::mds {
namespace {

using namespace nfs;

struct HolderTest : MdsTest {
  size_t asked(client::FileSystem& fs) {
    const auto& seen = fs.callbacks().seen();
    return static_cast<size_t>(
        std::count_if(seen.begin(), seen.end(), [](const auto& s) { return s.op == OP_CB_GETATTR; }));
  }
  client::Attributes getattr(client::FileSystem& fs) {
    auto got = sim.run(fs.getattr("f"));
    EXPECT_TRUE(got.has_value()) << client::to_string(got.error());
    return got ? *got : client::Attributes{};
  }
};

TEST_F(HolderTest, AnUnmodifiedFileIsAsTheServerHasIt) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  ASSERT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
  const auto before = getattr(ann);
  EXPECT_EQ(asked(ann), 0u) << "the holder itself is not asked";
  file->held = {*before.change, *before.size};
  const auto seen = getattr(bob);
  EXPECT_EQ(asked(ann), 1u);
  EXPECT_EQ(seen.change, before.change);
  EXPECT_EQ(seen.size, before.size);
  EXPECT_EQ(file->delegation, OPEN_DELEGATE_WRITE) << "no need to give it back";
}

TEST_F(HolderTest, ModifiedDataCountsAsWrittenNow) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  const auto before = getattr(ann);
  file->held = {*before.change + 1, 5};
  sim.run_for(std::chrono::seconds(1));
  const auto first = getattr(bob);
  EXPECT_EQ(first.size, 5u);
  EXPECT_GT(first.change, before.change);
  EXPECT_GT(first.modify_time->seconds, before.modify_time->seconds);
  // The holder may say the same for ever; what others see moves on all the same.
  const auto second = getattr(bob);
  EXPECT_GT(second.change, first.change);
  EXPECT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
  // Its data never comes: the size was only lent, change and time stay.
  ASSERT_DONE(sim.run(ann.close(file)));
  const auto after = getattr(bob);
  EXPECT_EQ(after.size, 0u);
  EXPECT_GE(after.change, second.change);
}

TEST_F(HolderTest, AnotherSizeAloneIsAModification) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  const auto before = getattr(ann);
  file->held = {*before.change, 77};
  const auto seen = getattr(bob);
  EXPECT_EQ(seen.size, 77u);
  EXPECT_GT(seen.change, before.change);
}

TEST_F(HolderTest, AHolderThatDoesNotSayLosesTheDelegation) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  ASSERT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
  EXPECT_EQ(getattr(bob).size, 0u);
  EXPECT_EQ(file->delegation, OPEN_DELEGATE_NONE) << "recalled and given back";
}

TEST_F(HolderTest, OtherAttributesNeedNoQuestion) {
  auto& ann = mount("ann");
  auto& bob = mount("bob");
  auto file = create(ann, "f");
  EXPECT_DONE(sim.run(bob.getattr_fh(file->fh, {FATTR4_TYPE, FATTR4_FILEID, FATTR4_MODE})));
  EXPECT_EQ(asked(ann), 0u);
  EXPECT_EQ(file->delegation, OPEN_DELEGATE_WRITE);
}

}  // namespace
}  // namespace pnfs::mds
