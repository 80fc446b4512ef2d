// Every way to stripe a file: what is written through the layout is where RFC 8881 13.4 says, and reads back by the MDS.
#include "tests/sim/layout_fixture.hpp"

namespace pnfs::cluster {
namespace {

struct LayoutStriping : LayoutTest, ::testing::WithParamInterface<const char*> {};

TEST_P(LayoutStriping, WritesAndReadsBack) {
  Options options = quick(GetParam());
  options.data_servers = 3;
  start(std::move(options));
  const uint64_t from = cluster().mds().options().personality->striping.pattern_offset;
  const auto file = create("file");
  const auto data = pattern(1'234'567);
  ASSERT_DONE(run(fs->write_striped(file, from, data)));
  EXPECT_EQ(count("mds", "WRITE"), 0u);
  for (const char* ds : {"ds1", "ds2", "ds3"}) EXPECT_GT(count(ds, "WRITE"), 0u) << ds;
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  const bool thru_mds = file->layout->segments.front().commit_through_mds();
  EXPECT_EQ(count("mds", "COMMIT") > 0, thru_mds);
  EXPECT_EQ(count("ds1", "COMMIT") > 0, !thru_mds);
  const auto got = run(fs->read_striped(file, from, 2 << 20));
  ASSERT_DONE(got);
  EXPECT_TRUE(got->bytes == data);
  EXPECT_TRUE(read(file, 2 << 20, from) == data) << "by way of the MDS";
  // Somebody with another idea of the striping sees the same bytes.
  auto& other = cluster().add_client("client2");
  ASSERT_DONE(run(other.mount(cluster().mds_address())));
  const auto theirs = run(other.open("file", OpenHow::read()));
  ASSERT_DONE(theirs);
  const auto read_there = run(other.read_striped(*theirs, from, 2 << 20));
  ASSERT_DONE(read_there);
  EXPECT_TRUE(read_there->bytes == data);
}

INSTANTIATE_TEST_SUITE_P(Every, LayoutStriping,
                         ::testing::Values("unit=4K", "unit=12K", "unit=64K filehandles=one", "unit=64K filehandles=none",
                                           "unit=16K count=7", "unit=8K count=5 first=inode-modulo",
                                           "unit=64K first=inode-mask count=3", "unit=16K pattern=36K",
                                           "unit=16K commit=mds", "unit=4K packing=dense", "unit=20K packing=dense count=7",
                                           "unit=16K packing=dense count=4 first=inode-modulo pattern=28K",
                                           "unit=8K packing=dense commit=mds segment=256K segments=2",
                                           "unit=16K segment=64K segments=3 count=6"),
                         [](const auto& info) {
                           std::string name = info.param;
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

struct LayoutRules : LayoutTest {
  // What LAYOUTGET says of a file.
  client::LayoutSegment segment_of(const client::FilePtr& file) {
    const auto got = run(fs->layoutget(file, LAYOUTIOMODE4_RW));
    EXPECT_TRUE(got) << client::to_string(got.error());
    return got ? file->layout->segments.front() : client::LayoutSegment{};
  }
};

TEST_F(LayoutRules, BytesBeforeThePatternHaveNoLayout) {
  start(quick("pattern=64K"));
  const auto file = create("file");
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 0)).status(), NFS4ERR_BADLAYOUT);
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 0, NFS4_UINT64_MAX, 0)).status(), NFS4ERR_LAYOUTTRYLATER);
  const auto got = get(file, get_args(file, LAYOUTIOMODE4_RW, 65536));
  ASSERT_EQ(got.status(), NFS4_OK);
  EXPECT_EQ(got->logr_resok4.logr_layout[0].lo_offset, 65536u) << "no earlier than its pattern";
}

TEST_F(LayoutRules, DirectoriesHaveTheirOwn) {
  auto options = quick("unit=64K");
  ASSERT_TRUE(mds::layout::add_directory(*options.mds.personality, "/dense packing=dense unit=8K"));
  ASSERT_TRUE(mds::layout::add_directory(*options.mds.personality, "/dense/deep unit=16K"));
  start(std::move(options));
  for (const char* dir : {"dense", "dense/deep", "dense/deep/deeper"}) ASSERT_DONE(run(fs->mkdir(dir)));
  EXPECT_EQ(segment_of(create("file")).stripe_unit(), 65536u);
  EXPECT_FALSE(segment_of(create("file")).dense());
  EXPECT_EQ(segment_of(create("dense/file")).stripe_unit(), 8192u);
  EXPECT_TRUE(segment_of(create("dense/file")).dense());
  EXPECT_EQ(segment_of(create("dense/deep/file")).stripe_unit(), 16384u);
  EXPECT_TRUE(segment_of(create("dense/deep/deeper/file")).dense()) << "what the nearer one does not say";
  ASSERT_DONE(run(fs->rename("dense/file", "moved")));
  const auto moved = run(fs->open("moved", OpenHow::write()));
  ASSERT_DONE(moved);
  (*moved)->layout.reset();
  EXPECT_EQ(segment_of(*moved).stripe_unit(), 8192u) << "a file keeps what it was made with";
}

TEST_F(LayoutRules, TheHintOfTheClientWinsOverBoth) {
  auto options = quick("unit=64K");
  ASSERT_TRUE(mds::layout::add_directory(*options.mds.personality, "/dir commit=mds unit=16K"));
  start(std::move(options));
  ASSERT_DONE(run(fs->mkdir("dir")));
  const auto dir = run(fs->lookup("dir"));
  ASSERT_DONE(dir);
  Arena arena;
  xdr::Encoder body(arena);
  xdr::encode(body, nfsv4_1_file_layouthint4{NFLH4_CARE_DENSE | NFLH4_CARE_STRIPE_UNIT_SIZE | NFLH4_CARE_STRIPE_COUNT,
                                             4096 | NFL4_UFLG_DENSE, 6});
  layouthint4 hint;
  hint.loh_body.bytes = arena.copy(std::span<const std::byte>(body.flatten()));
  xdr::Encoder values(arena);
  xdr::encode(values, hint);
  OPEN4args args;
  args.share_access = OPEN4_SHARE_ACCESS_BOTH;
  args.owner.clientid = fs->session().clientid();
  args.owner.owner.bytes = std::as_bytes(std::span("owner", 5));
  args.openhow.opentype = OPEN4_CREATE;
  args.openhow.how.mode = GUARDED4;
  args.openhow.how.createattrs.attrmask = {FATTR4_LAYOUT_HINT};
  args.openhow.how.createattrs.attr_vals.bytes = arena.copy(std::span<const std::byte>(values.flatten()));
  args.claim.file.text = "file";
  const auto opened = ask<OPEN4res>(*fs, *dir, OP_OPEN, args);
  ASSERT_EQ(opened.status(), NFS4_OK);
  EXPECT_TRUE(opened->resok4.attrset.has(FATTR4_LAYOUT_HINT));
  const auto file = run(fs->open("dir/file", OpenHow::write()));
  ASSERT_DONE(file);
  const auto segment = segment_of(*file);
  EXPECT_EQ(segment.stripe_unit(), 4096u);
  EXPECT_TRUE(segment.dense());
  EXPECT_EQ(segment.handles.size(), 6u);
  EXPECT_TRUE(segment.commit_through_mds()) << "what the client does not care about is the directory's";
  const auto data = pattern(300'000);
  ASSERT_DONE(run(fs->write_striped(*file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(*file)));
  EXPECT_TRUE(read(*file, 1 << 20) == data);
}

TEST_F(LayoutRules, AttributesTellThem) {
  start(quick("unit=16K threshold-read-size=64K threshold-write-iosize=4K"));
  const auto file = create("file");
  const bitmap4 wanted{FATTR4_FS_LAYOUT_TYPES, FATTR4_LAYOUT_TYPES, FATTR4_LAYOUT_BLKSIZE, FATTR4_LAYOUT_ALIGNMENT,
                       FATTR4_MDSTHRESHOLD};
  GETATTR4args args;
  args.attr_request = wanted;
  const auto got = ask<GETATTR4res>(*fs, file->fh, OP_GETATTR, args);
  ASSERT_EQ(got.status(), NFS4_OK);
  nfs::Attributes a;
  Arena arena;
  ASSERT_TRUE(decode_attributes(got->resok4.obj_attributes, wanted, DecodeFor::read, arena, a).ok());
  ASSERT_EQ(a.fs_layout_types.size(), 1u);
  EXPECT_EQ(a.fs_layout_types[0], LAYOUT4_NFSV4_1_FILES);
  EXPECT_EQ(a.layout_types.size(), 1u);
  EXPECT_EQ(a.layout_blksize, 16384u);
  EXPECT_EQ(a.layout_alignment, 16384u);
  ASSERT_EQ(a.mdsthreshold.mth_hints.size(), 1u);
  const auto& item = a.mdsthreshold.mth_hints[0];
  EXPECT_TRUE(item.thi_hintset.has(threshold4_read_size));
  EXPECT_FALSE(item.thi_hintset.has(threshold4_write_size));
  EXPECT_TRUE(item.thi_hintset.has(threshold4_write_iosize));
  xdr::Decoder hints(item.thi_hintlist.bytes, arena);
  uint64_t read_size = 0, write_iosize = 0;
  ASSERT_TRUE(xdr::decode(hints, read_size) && xdr::decode(hints, write_iosize));
  EXPECT_EQ(read_size, 65536u);
  EXPECT_EQ(write_iosize, 4096u);
}

}  // namespace
}  // namespace pnfs::cluster
