// LAYOUTGET, LAYOUTRETURN and LAYOUTCOMMIT by the rules of RFC 8881 18.42 to 18.44, and what data servers make of it.
#include "tests/sim/layout_fixture.hpp"

namespace pnfs::cluster {
namespace {

struct LayoutGet : LayoutTest {};

TEST_F(LayoutGet, RefusesWhatTheRfcRefuses) {
  start(quick());
  const auto file = create("file");
  auto args = get_args(file, LAYOUTIOMODE4_ANY);
  EXPECT_EQ(get(file, args).status(), NFS4ERR_BADIOMODE) << "ANY";
  args.loga_iomode = static_cast<layoutiomode4>(9);
  EXPECT_EQ(get(file, args).status(), NFS4ERR_BADIOMODE) << "an iomode that does not exist";
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 0, 100, 101)).status(), NFS4ERR_INVAL) << "minlength > length";
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 5, NFS4_UINT64_MAX, NFS4_UINT64_MAX - 4)).status(), NFS4ERR_INVAL)
      << "offset + minlength";
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 5, NFS4_UINT64_MAX - 4, 1)).status(), NFS4ERR_INVAL)
      << "offset + length";
  args = get_args(file);
  args.loga_layout_type = LAYOUT4_BLOCK_VOLUME;
  EXPECT_EQ(get(file, args).status(), NFS4ERR_UNKNOWN_LAYOUTTYPE);
  args = get_args(file);
  args.loga_maxcount = 20;
  EXPECT_EQ(get(file, args).status(), NFS4ERR_TOOSMALL);
  args = get_args(file);
  args.loga_stateid = stateid4{};
  EXPECT_EQ(get(file, args).status(), NFS4ERR_BAD_STATEID) << "the special stateid of zeros";
  args.loga_stateid = file->stateid;
  args.loga_stateid.other.bytes[11] ^= std::byte{0x55};
  EXPECT_EQ(get(file, args).status(), NFS4ERR_BAD_STATEID);
  EXPECT_EQ(ask<LAYOUTGET4res>(*fs, fs->root(), OP_LAYOUTGET, get_args(file)).status(), NFS4ERR_WRONG_TYPE);
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 0, NFS4_UINT64_MAX, NFS4_UINT64_MAX)).status(), NFS4_OK)
      << "to the end, whatever the length";
}

TEST_F(LayoutGet, RwUnderAnOpenForReadingIsOpenmode) {
  start(quick());
  ASSERT_DONE(run(fs->close(create("file"))));
  const auto opened = run(fs->open("file", OpenHow::read()));
  ASSERT_DONE(opened);
  const auto file = *opened;
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW)).status(), NFS4ERR_OPENMODE);
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW)).status(), NFS4ERR_OPENMODE) << "nor by the layout stateid";
}

// As Linux does it: it takes no notice of the layout when it finds that it holds one of the file already.
TEST_F(LayoutGet, BehindOpenOnlyWhoHoldsNoneGetsOne) {
  start(quick());
  const auto file = create("file");
  auto behind_open = [&] {
    auto reply = run(fs->run([&] {
      OPEN4args open;
      open.share_access = OPEN4_SHARE_ACCESS_BOTH;
      open.owner.clientid = fs->session().clientid();
      open.owner.owner.bytes = std::as_bytes(std::span("owner", 5));
      open.claim.file.text = "file";
      LAYOUTGET4args layout = get_args(file);
      layout.loga_stateid = {.seqid = 1, .other = {}};  // the current stateid
      auto compound = client::Compound::in_session();
      compound->add(OP_PUTROOTFH).add(OP_OPEN, open).add(OP_LAYOUTGET, layout).cache();
      return compound;
    }));
    EXPECT_TRUE(reply) << client::to_string(reply.error());
    return reply ? (*reply)->status() : NFS4ERR_SERVERFAULT;
  };
  EXPECT_EQ(behind_open(), NFS4_OK);
  EXPECT_EQ(behind_open(), NFS4ERR_LAYOUTTRYLATER);
  auto args = get_args(file);
  args.loga_stateid.seqid = 0;  // the opens above moved it on
  const auto alone = get(file, args);
  ASSERT_EQ(alone.status(), NFS4_OK) << "with the open's own stateid the client says that it knows what it does";
  EXPECT_EQ(alone->logr_resok4.logr_stateid.seqid, 2u);
}

TEST_F(LayoutGet, ShortRangesComeInSegmentsWithoutGaps) {
  start(quick("segment=128K segments=3"));
  const auto file = create("file");
  const auto got = get(file, get_args(file, LAYOUTIOMODE4_RW, 200'000, NFS4_UINT64_MAX, 4096));
  ASSERT_EQ(got.status(), NFS4_OK);
  const auto& layout = got->logr_resok4.logr_layout;
  ASSERT_EQ(layout.size(), 3u);
  EXPECT_LE(layout[0].lo_offset, 200'000u);
  for (size_t i = 0; i < layout.size(); ++i) {
    EXPECT_EQ(layout[i].lo_iomode, LAYOUTIOMODE4_RW);
    EXPECT_EQ(layout[i].lo_length, 128u << 10);
    if (i != 0) {
      EXPECT_EQ(layout[i].lo_offset, layout[i - 1].lo_offset + layout[i - 1].lo_length);
    }
  }
  EXPECT_EQ(got->logr_resok4.logr_stateid.seqid, 1u);
  auto args = get_args(file, LAYOUTIOMODE4_RW, 0, 1 << 20, 300'000);
  EXPECT_EQ(get(file, args)->logr_resok4.logr_layout.size(), 3u);
  args.loga_minlength = 4096;
  args.loga_maxcount = 300;
  const auto small = get(file, args);
  ASSERT_EQ(small.status(), NFS4_OK);
  EXPECT_LT(small->logr_resok4.logr_layout.size(), 3u) << "only what the client can take";
  args.loga_minlength = 300'000;
  EXPECT_EQ(get(file, args).status(), NFS4ERR_TOOSMALL) << "what is required does not fit";
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW, 0, NFS4_UINT64_MAX, NFS4_UINT64_MAX)).status(),
            NFS4ERR_BADLAYOUT);
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_READ, 0, NFS4_UINT64_MAX, NFS4_UINT64_MAX)).status(), NFS4_OK)
      << "READ needs no more than the file has";
}

TEST_F(LayoutGet, AFileIsWrittenAndReadSegmentBySegment) {
  start(quick("segment=128K segments=1 unit=16K"));
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_EQ(file->layout->segments.size(), 8u);
  EXPECT_EQ(count("mds", "WRITE"), 0u);
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  const auto got = run(fs->read_striped(file, 0, 1 << 20));
  ASSERT_DONE(got);
  EXPECT_TRUE(got->bytes == data);
}

TEST_F(LayoutGet, DataServersTakeWhatTheLayoutCoversAndNothingElse) {
  start(quick("segment=128K segments=1 unit=64K"));
  const auto file = create("file");
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW, 0, 4096)));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW, 256 << 10, 4096)));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ, 128 << 10, 4096)));
  const auto segment = file->layout->segments.front();
  EXPECT_EQ(write_at(file, 0, segment), NFS4_OK);
  EXPECT_EQ(write_at(file, 256 << 10, segment), NFS4_OK);
  EXPECT_EQ(write_at(file, 128 << 10, segment), NFS4ERR_PNFS_NO_LAYOUT) << "between: for READ only";
  EXPECT_EQ(read_at(file, 128 << 10, segment), NFS4_OK);
  EXPECT_EQ(read_at(file, 384 << 10, segment), NFS4ERR_PNFS_NO_LAYOUT) << "behind";
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW, 128 << 10, 4096)));
  EXPECT_EQ(write_at(file, 128 << 10, segment), NFS4_OK) << "the layout has grown";
  EXPECT_EQ(give_back(file, LAYOUTRETURN4_FILE, 0, 128 << 10).status(), NFS4_OK);
  cluster().run_for(1s);
  EXPECT_EQ(write_at(file, 0, segment), NFS4ERR_PNFS_NO_LAYOUT) << "and shrunk";
  EXPECT_EQ(write_at(file, 256 << 10, segment), NFS4_OK);
}

TEST_F(LayoutGet, ReturnsInPartsAndAsAWhole) {
  start(quick());
  const auto file = create("file"), other = create("other");
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  ASSERT_DONE(run(fs->layoutget(other, LAYOUTIOMODE4_RW)));
  EXPECT_EQ(file->layout->stateid.seqid, 2u);
  auto asked = give_back(file, LAYOUTRETURN4_FILE, 0, 65536, LAYOUTIOMODE4_RW);
  ASSERT_EQ(asked.status(), NFS4_OK);
  ASSERT_TRUE(asked->lorr_stateid.lrs_present);
  EXPECT_EQ(file->layout->stateid.seqid, 3u);
  const auto before = file->layout->stateid;
  EXPECT_EQ(give_back(file, LAYOUTRETURN4_FILE, 7, NFS4_UINT64_MAX - 6).status(), NFS4ERR_INVAL);
  ASSERT_EQ(give_back(file).status(), NFS4_OK);
  EXPECT_FALSE(file->layout) << "the last byte: no stateid any more";
  file->layout.emplace().stateid = before;
  EXPECT_EQ(give_back(file).status(), NFS4ERR_BAD_STATEID);
  EXPECT_EQ(get(file, get_args(file)).status(), NFS4ERR_BAD_STATEID);
  file->layout.reset();

  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  EXPECT_EQ(file->layout->stateid.seqid, 1u);
  EXPECT_EQ(give_back(file, LAYOUTRETURN4_FSID).status(), NFS4_OK);
  EXPECT_EQ(get(other, get_args(other)).status(), NFS4ERR_BAD_STATEID) << "every file's is returned";
  other->layout.reset();
  ASSERT_DONE(run(fs->layoutget(other, LAYOUTIOMODE4_RW)));
  EXPECT_EQ(give_back(other, LAYOUTRETURN4_ALL).status(), NFS4_OK);
  EXPECT_EQ(give_back(other, LAYOUTRETURN4_ALL).status(), NFS4_OK) << "nothing to return is no error";
  EXPECT_EQ(give_back(other, static_cast<layoutreturn_type4>(7)).status(), NFS4ERR_INVAL);
}

TEST_F(LayoutGet, ReturnOnCloseEndsTheLayoutWithTheOpen) {
  auto options = quick("return-on-close=yes");
  options.mds.delegations = false;  // under a delegation the file counts as open
  start(std::move(options));
  const auto file = create("file");
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  EXPECT_TRUE(file->layout->return_on_close);
  const auto segment = file->layout->segments.front();
  const auto stateid = file->layout->stateid;
  EXPECT_EQ(write_at(file, 0, segment), NFS4_OK);
  EXPECT_EQ(ask<CLOSE4res>(*fs, file->fh, OP_CLOSE, CLOSE4args{0, file->stateid}).status(), NFS4_OK);
  const auto again = run(fs->open("file", OpenHow::write()));
  ASSERT_DONE(again);
  auto args = get_args(*again);
  args.loga_stateid = stateid;
  EXPECT_EQ(get(*again, args).status(), NFS4ERR_BAD_STATEID);
  EXPECT_EQ(write_at(*again, 0, segment), NFS4ERR_PNFS_NO_LAYOUT);
  EXPECT_EQ(write_at(file, 0, segment), NFS4ERR_BAD_STATEID) << "by the open that is closed";
}

TEST_F(LayoutGet, CommitTellsSizeAndTime) {
  start(quick());
  const auto file = create("file");
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  LAYOUTCOMMIT4args args;
  args.loca_offset = 0;
  args.loca_length = 100'000;
  args.loca_stateid = file->layout->stateid;
  args.loca_last_write_offset = {true, 99'999};
  args.loca_time_modify = {true, {4'000'000'000, 5}};
  const auto commit = [&] { return ask<LAYOUTCOMMIT4res>(*fs, file->fh, OP_LAYOUTCOMMIT, args); };
  auto told = commit();
  ASSERT_EQ(told.status(), NFS4_OK);
  EXPECT_TRUE(told->locr_resok4.locr_newsize.ns_sizechanged);
  EXPECT_EQ(told->locr_resok4.locr_newsize.ns_size, 100'000u);
  const auto first = run(fs->getattr("file"));
  EXPECT_EQ(first->size, 100'000u);
  EXPECT_EQ(first->modify_time->seconds, 4'000'000'000);
  args.loca_last_write_offset.no_offset = 10;
  args.loca_time_modify.nt_time.seconds = 1000;
  told = commit();
  EXPECT_FALSE(told->locr_resok4.locr_newsize.ns_sizechanged) << "a file does not shrink by it";
  EXPECT_EQ(run(fs->getattr("file"))->modify_time->seconds, 4'000'000'000) << "time does not flow backwards";

  args.loca_last_write_offset.no_offset = 100'000;
  EXPECT_EQ(commit().status(), NFS4ERR_INVAL) << "the last byte is not in the range";
  args.loca_last_write_offset.no_offset = 99'999;
  args.loca_reclaim = true;
  EXPECT_EQ(commit().status(), NFS4ERR_NO_GRACE);
  args.loca_reclaim = false;
  args.loca_stateid.other.bytes[11] ^= std::byte{0x55};
  EXPECT_EQ(commit().status(), NFS4ERR_BADLAYOUT) << "another `other`";
  args.loca_stateid = file->layout->stateid;
  args.loca_stateid.seqid = 0;
  EXPECT_EQ(commit().status(), NFS4ERR_BADLAYOUT) << "seqid 0";
  args.loca_stateid.seqid = 77;
  EXPECT_EQ(commit().status(), NFS4ERR_BADLAYOUT) << "a seqid from the future";
  args.loca_stateid = file->layout->stateid;
  ASSERT_EQ(give_back(file).status(), NFS4_OK);
  EXPECT_EQ(commit().status(), NFS4ERR_BADLAYOUT);
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  args.loca_stateid = file->layout->stateid;
  EXPECT_EQ(commit().status(), NFS4ERR_BADIOMODE) << "the layout is for READ";
}

}  // namespace
}  // namespace pnfs::cluster
