// What clients may use of layouts (mds/LIMITS.md); the other limits are in tests/unit/mds/limits_test.cpp.
#include "tests/sim/layout_fixture.hpp"

namespace pnfs::cluster {
namespace {

struct LayoutLimit : LayoutTest {
  void SetUp() override {}
};

TEST_F(LayoutLimit, FilesOfWhichOneClientHoldsLayouts) {
  Options options = quick();
  options.mds.limits.stateids_per_client = 2;
  options.mds.delegations = false;
  start(std::move(options));
  const auto first = create("first"), second = create("second");
  const auto of_first = get(first, get_args(first));
  ASSERT_EQ(of_first.status(), NFS4_OK);
  ASSERT_EQ(get(second, get_args(second)).status(), NFS4_OK);
  ASSERT_DONE(run(fs->close(first)));  // and its layout stays: this client keeps it from itself
  const auto third = create("third");
  EXPECT_EQ(get(third, get_args(third)).status(), NFS4ERR_LAYOUTTRYLATER);
  EXPECT_EQ(get(second, get_args(second, LAYOUTIOMODE4_READ)).status(), NFS4_OK) << "more of a file that is counted";
  write(third, pattern(5000));  // through the metadata server
  EXPECT_EQ(read(third, 5000), pattern(5000));

  first->layout.emplace();
  first->layout->stateid = of_first->logr_resok4.logr_stateid;
  ASSERT_EQ(give_back(first).status(), NFS4_OK);
  EXPECT_EQ(get(third, get_args(third)).status(), NFS4_OK) << "and returning makes room";
}

}  // namespace
}  // namespace pnfs::cluster
