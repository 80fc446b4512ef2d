// One client, one MDS, two data servers: names, data through the MDS, data through a layout.
#include "tests/sim/fixture.hpp"

namespace pnfs::cluster {
namespace {

using namespace nfs;
using client::OpenHow;

struct FirstLight : ClusterTest {};

TEST_F(FirstLight, MountsAndUnmounts) {
  start();
  EXPECT_NE(fs->session().exchange_flags() & EXCHGID4_FLAG_USE_PNFS_MDS, 0u);
  EXPECT_TRUE(fs->session().has_back_channel());
  const auto root = run(fs->getattr(""));
  ASSERT_DONE(root);
  EXPECT_EQ(root->type, NF4DIR);
  ASSERT_DONE(run(fs->unmount()));
}

TEST_F(FirstLight, NamesComeAndGo) {
  start();
  ASSERT_DONE(run(fs->mkdir("dir")));
  ASSERT_DONE(run(fs->close(create("dir/file"))));
  ASSERT_DONE(run(fs->symlink("dir/link", "file")));
  EXPECT_EQ(*run(fs->readlink("dir/link")), "file");
  ASSERT_DONE(run(fs->rename("dir/file", "moved")));
  ASSERT_DONE(run(fs->link("moved", "dir/again")));
  EXPECT_EQ(run(fs->getattr("moved"))->links, 2u);
  EXPECT_TRUE(run(fs->getattr("dir/file")).error().is(NFS4ERR_NOENT));
  const auto entries = run(fs->readdir("dir"));
  ASSERT_DONE(entries);
  std::set<std::string> names;
  for (const auto& entry : *entries) names.insert(entry.name);
  EXPECT_EQ(names, (std::set<std::string>{"again", "link"}));
  EXPECT_TRUE(run(fs->remove("dir")).error().is(NFS4ERR_NOTEMPTY));
  ASSERT_DONE(run(fs->remove("dir/again")));
  ASSERT_DONE(run(fs->remove("dir/link")));
  ASSERT_DONE(run(fs->remove("dir")));
  EXPECT_EQ(run(fs->getattr("moved"))->links, 1u);
}

TEST_F(FirstLight, DataThroughTheMds) {
  start();
  const auto file = create("file");
  const auto data = pattern(300'000);
  write(file, data);
  EXPECT_TRUE(read(file, 400'000) == data);
  EXPECT_EQ(run(fs->getattr("file"))->size, data.size());
  ASSERT_DONE(run(fs->truncate(file, 1000)));
  EXPECT_EQ(read(file, 400'000).size(), 1000u);
  ASSERT_DONE(run(fs->truncate(file, 2000)));
  const auto grown = read(file, 400'000);
  ASSERT_EQ(grown.size(), 2000u);
  EXPECT_EQ(grown[1000], std::byte{0}) << "what was cut off must not come back";
  ASSERT_DONE(run(fs->close(file)));
}

TEST_F(FirstLight, DataThroughTheLayoutGoesToTheDataServersAndNowhereElse) {
  start();
  const auto file = create("striped");
  const auto data = pattern(4 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_TRUE(file->layout);
  EXPECT_EQ(count("mds", "WRITE"), 0u);
  EXPECT_GT(count("ds1", "WRITE"), 0u);
  EXPECT_GT(count("ds2", "WRITE"), 0u);
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_EQ(run(fs->getattr("striped"))->size, data.size());

  const auto striped = run(fs->read_striped(file, 0, 5 << 20));
  ASSERT_DONE(striped);
  EXPECT_TRUE(striped->bytes == data);
  EXPECT_TRUE(striped->eof);
  EXPECT_EQ(count("mds", "READ"), 0u);
  EXPECT_GT(count("ds1", "READ"), 0u);
  EXPECT_GT(count("ds2", "READ"), 0u);

  // Each unit came from the data server that RFC 8881 13.4 says.
  const auto& segment = file->layout->segments.front();
  const auto device = run(fs->device(segment.device));
  ASSERT_DONE(device);
  EXPECT_EQ((*device)->data_servers.size(), 2u);
  for (const trace::OwnedEvent& e : cluster().trace().events()) {
    if (e.op != "WRITE" || !e.offset || !e.node.starts_with("ds")) continue;
    const auto place = client::place_of(segment, **device, *e.offset);
    ASSERT_TRUE(place);
    const auto& address = (*device)->data_servers[place->data_server].front();
    EXPECT_EQ(address, cluster().ds_address(e.node == "ds1" ? 1 : 2)) << *e.offset;
  }

  // The same bytes by way of the MDS.
  EXPECT_TRUE(read(file, 5 << 20) == data);
  ASSERT_DONE(run(fs->close(file)));
}

TEST_F(FirstLight, AnUnalignedWriteThroughTheLayoutKeepsItsNeighbours) {
  start();
  const auto file = create("file");
  auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  const auto patch = pattern(100'001, 9);
  std::copy(patch.begin(), patch.end(), data.begin() + 12'345);
  ASSERT_DONE(run(fs->write_striped(file, 12'345, patch)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  const auto got = run(fs->read_striped(file, 0, 1 << 20));
  ASSERT_DONE(got);
  EXPECT_TRUE(got->bytes == data);
}

TEST_F(FirstLight, AHoleThatTheDataServerDoesNotKnowOfReadsAsZeros) {
  start();
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 1'000'000, pattern(10))));
  const auto got = run(fs->read_striped(file, 0, 2 << 20));
  ASSERT_DONE(got);
  ASSERT_EQ(got->bytes.size(), 1'000'010u);
  EXPECT_EQ(std::count(got->bytes.begin(), got->bytes.begin() + 1'000'000, std::byte{0}), 1'000'000);
  EXPECT_TRUE(got->eof);
}

TEST_F(FirstLight, ASecondClientSeesWhatTheFirstWrote) {
  start();
  const auto data = pattern(1 << 20);
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->close(file)));
  auto& other = cluster().add_client("client2");
  ASSERT_DONE(run(other.mount(cluster().mds_address())));
  const auto theirs = run(other.open("file", OpenHow::read()));
  ASSERT_DONE(theirs);
  const auto got = run(other.read_striped(*theirs, 0, 2 << 20));
  ASSERT_DONE(got);
  EXPECT_TRUE(got->bytes == data);
}

TEST_F(FirstLight, Dlm2014AnswersBadIomodeAndSaysWhy) {
  Options options;
  options.mds.profile = mds::Profile::dlm_2014;
  start(std::move(options));
  const auto file = create("file");
  const auto got = run(fs->layoutget(file, LAYOUTIOMODE4_RW));
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().is(NFS4ERR_BADIOMODE)) << client::to_string(got.error());
  const auto* event = cluster().trace().last("mds", "LAYOUTGET");
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->status, "NFS4ERR_BADIOMODE");
  EXPECT_FALSE(event->reason.empty());
  EXPECT_FALSE(event->section.empty());
}

TEST_F(FirstLight, DataServersAreServersOfTheirOwn) {
  start();
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  std::set<std::string> owners{fs->session().server_major_id()};
  for (uint32_t i = 1; i <= 2; ++i) {
    const auto session = run(fs->data_server({cluster().ds_address(i)}));
    ASSERT_DONE(session);
    EXPECT_NE((*session)->exchange_flags() & EXCHGID4_FLAG_USE_PNFS_DS, 0u);
    EXPECT_TRUE(owners.insert((*session)->server_major_id()).second) << "so_major_id of ds" << i;
  }
}

}  // namespace
}  // namespace pnfs::cluster
