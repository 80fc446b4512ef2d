// A setuid program is written through the MDS only: there it is known who writes (POSIX write(2) takes the bit away).
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;

struct SetuidTest : ClusterTest {};

TEST_F(SetuidTest, NobodyHoldsALayoutForWritingOfASetuidProgram) {
  start();
  const auto file = create("program");
  const auto data = pattern(100'000);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_TRUE(file->layout);
  ASSERT_DONE(run(fs->setattr("program", {.mode = 04777})));
  EXPECT_FALSE(file->layout) << "recalled, with what it wrote told to the MDS";
  EXPECT_EQ(run(fs->getattr("program"))->mode, 04777u) << "and not taken away by that";
  EXPECT_EQ(run(fs->getattr("program"))->size, data.size());
  EXPECT_TRUE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)).error().is(NFS4ERR_LAYOUTUNAVAILABLE));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  EXPECT_TRUE(read(file, 200'000) == data);

  client::FileSystem& user = made->add_client("user", {.uid = 1000, .gid = 1000});
  ASSERT_DONE(run(user.mount(made->mds_address())));
  auto opened = run(user.open("program", client::OpenHow::write()));
  ASSERT_DONE(opened);
  ASSERT_DONE(run(user.write(*opened, 0, std::as_bytes(std::span("x", 1)))));
  EXPECT_EQ(run(fs->getattr("program"))->mode, 0777u);
  ASSERT_DONE(run(user.layoutget(*opened, LAYOUTIOMODE4_RW)));
}

}  // namespace
}  // namespace pnfs::cluster
