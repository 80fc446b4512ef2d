// Data servers come, move, drain and go while clients use them; devices, recalls and CB_NOTIFY_DEVICEID (RFC 8881
// 12.2.10, 13.5, 18.40, 20.12), and the pnfs_dlm_device line of 2014.
#include "mds/commands.hpp"
#include "mds/layout/pnfs_server.hpp"
#include "tests/sim/layout_fixture.hpp"

namespace pnfs::cluster {
namespace {

struct LayoutDevices : LayoutTest {
  mds::layout::PnfsServer& pnfs() { return mds::layout::pnfs_of(cluster().mds()); }
  std::string command(const std::string& line) {
    const auto answer = mds::run_command(cluster().mds(), line);
    EXPECT_TRUE(answer) << line << ": " << answer.error().reason;
    return answer ? *answer : "";
  }
  // The data servers that the file's layout names.
  size_t named(const client::FilePtr& file) {
    const auto device = run(fs->device(file->layout->segments.front().device));
    EXPECT_TRUE(device);
    return device ? (*device)->data_servers.size() : 0;
  }
  nfsstat4 info(const deviceid4& id, count4 maxcount = 4096) {
    GETDEVICEINFO4args args;
    args.gdia_device_id = id;
    args.gdia_maxcount = maxcount;
    return ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args).status();
  }
};

TEST_F(LayoutDevices, GetdeviceinfoHasLimitsAndNotifications) {
  start(quick());
  const auto file = create("file");
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  GETDEVICEINFO4args args;
  args.gdia_device_id = file->layout->segments.front().device;
  args.gdia_maxcount = 30;
  const auto small = ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args);
  ASSERT_EQ(small.status(), NFS4ERR_TOOSMALL);
  const count4 mincount = small->gdir_mincount;
  args.gdia_maxcount = mincount - 1;
  EXPECT_EQ(ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args).status(), NFS4ERR_TOOSMALL);
  args.gdia_maxcount = mincount;
  args.gdia_notify_types = {NOTIFY_DEVICEID4_DELETE};
  const auto enough = ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args);
  ASSERT_EQ(enough.status(), NFS4_OK);
  EXPECT_TRUE(enough->gdir_resok4.gdir_notification.has(NOTIFY_DEVICEID4_DELETE));
  EXPECT_FALSE(enough->gdir_resok4.gdir_notification.has(NOTIFY_DEVICEID4_CHANGE));
  args.gdia_maxcount = 0;
  const auto none = ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args);
  ASSERT_EQ(none.status(), NFS4_OK) << "0: never TOOSMALL";
  EXPECT_TRUE(none->gdir_resok4.gdir_device_addr.da_addr_body.bytes.empty());
  args.gdia_device_id.bytes[15] ^= std::byte{1};
  EXPECT_EQ(ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args).status(), NFS4ERR_NOENT);
  args.gdia_layout_type = LAYOUT4_SCSI;
  EXPECT_EQ(ask<GETDEVICEINFO4res>(*fs, fs->root(), OP_GETDEVICEINFO, args).status(), NFS4ERR_UNKNOWN_LAYOUTTYPE);

  GETDEVICELIST4args list;
  EXPECT_EQ(ask<GETDEVICELIST4res>(*fs, fs->root(), OP_GETDEVICELIST, list).status(), NFS4ERR_INVAL) << "maxdevices 0";
  list.gdla_maxdevices = 10;
  const auto all = ask<GETDEVICELIST4res>(*fs, fs->root(), OP_GETDEVICELIST, list);
  ASSERT_EQ(all.status(), NFS4_OK);
  EXPECT_EQ(all->gdlr_resok4.gdlr_deviceid_list.size(), 1u);
  EXPECT_TRUE(all->gdlr_resok4.gdlr_eof);
}

TEST_F(LayoutDevices, ADrainingServerIsLeftAndItsDeviceDeleted) {
  start(quick());
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_EQ(named(file), 2u);
  const deviceid4 old = file->layout->segments.front().device;
  command("ds drain ds2");
  cluster().run_for(5s);
  EXPECT_EQ(fs->recalls().size(), 1u);
  EXPECT_FALSE(file->layout);
  EXPECT_NE(command("ds list").find("ds2 member draining unused"), std::string::npos) << command("ds list");
  ASSERT_EQ(fs->notices().size(), 1u) << "nobody names the device any more";
  EXPECT_TRUE(fs->notices()[0].deleted);
  EXPECT_EQ(fs->notices()[0].device, old);
  EXPECT_EQ(info(old), NFS4ERR_NOENT);
  const size_t before = count("ds2", "WRITE");
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_EQ(named(file), 1u);
  EXPECT_EQ(count("ds2", "WRITE"), before);

  ASSERT_TRUE(cluster().stop("ds2"));
  cluster().run_for(20s);
  command("ds remove ds2");
  EXPECT_EQ(command("ds list").find("ds2"), std::string::npos);
  EXPECT_TRUE(read(file, 2 << 20) == data);
}

TEST_F(LayoutDevices, AServerThatComesLaterIsUsedByNewLayouts) {
  start(quick());
  const auto old = create("old");
  ASSERT_DONE(run(fs->write_striped(old, 0, pattern(1 << 20))));
  const auto added = cluster().add_data_server();
  ASSERT_TRUE(added) << added.error().reason;
  const auto file = create("file");
  const auto data = pattern(1 << 20, 3);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_EQ(named(file), 3u);
  EXPECT_GT(count("ds3", "WRITE"), 0u);
  EXPECT_EQ(fs->recalls().size(), 0u) << "the layouts of others stay good";
  ASSERT_DONE(run(fs->write_striped(old, 0, data)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 1 << 20) == data);
}

TEST_F(LayoutDevices, OneThatDiesIsLeftWhenItsLeaseIsOver) {
  start(quick());
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  cluster().kill("ds2");
  fs->options().timeout = 1s;
  cluster().run_for(30s);
  EXPECT_GE(fs->recalls().size(), 1u);
  file->uncommitted.clear();  // what was not committed there is lost
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  EXPECT_EQ(named(file), 1u);
  EXPECT_TRUE(pnfs().unused(2));
}

TEST_F(LayoutDevices, AnyAddressOfAServerWillDo) {
  auto options = quick();
  options.ds.advertise = {*io::parse_endpoint("10.9.9.9:2049")};  // nobody is there
  start(std::move(options), {.timeout = 2s});
  const auto file = create("file");
  const auto data = pattern(200'000);
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  const auto device = run(fs->device(file->layout->segments.front().device));
  ASSERT_DONE(device);
  ASSERT_EQ((*device)->data_servers[0].size(), 2u) << "a multipath list (13.5)";
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 200'000) == data);
}

TEST_F(LayoutDevices, AFixedIdIsChangedAndTheClientTold) {
  auto options = quick("device-ids=fixed");
  options.data_servers = 3;
  options.mds.dlm_device = "/dev/sdb:10.0.0.11,10.0.0.12";
  start(std::move(options));
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  const deviceid4 id = file->layout->segments.front().device;
  EXPECT_EQ(named(file), 2u);
  EXPECT_EQ(count("ds3", "WRITE"), 0u);
  command("dlm-device /dev/sdb:10.0.0.13,10.0.0.11");
  cluster().run_for(1s);
  ASSERT_EQ(fs->notices().size(), 1u);
  EXPECT_EQ(fs->notices()[0].device, id);
  EXPECT_FALSE(fs->notices()[0].deleted);
  EXPECT_FALSE(fs->notices()[0].immediate);
  EXPECT_EQ(fs->recalls().size(), 0u) << "12.2.10: a notification or a recall";
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_GT(count("ds3", "WRITE"), 0u);
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 1 << 20) == data);
  EXPECT_EQ(command("dlm-device"), "sdb:10.0.0.13,10.0.0.11\n");
}

TEST_F(LayoutDevices, AnImmediateChangeSaysSo) {
  auto options = quick("device-ids=fixed device-change=immediate");
  options.mds.dlm_device = "/dev/sdb:10.0.0.11,10.0.0.12";
  start(std::move(options));
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  command("dlm-device /dev/sdb:10.0.0.12");
  cluster().run_for(1s);
  ASSERT_EQ(fs->notices().size(), 1u);
  EXPECT_TRUE(fs->notices()[0].immediate);
}

TEST_F(LayoutDevices, WhoAskedForNoNoticesIsRecalled) {
  auto options = quick("device-ids=fixed");
  options.mds.dlm_device = "/dev/sdb:10.0.0.11";
  start(std::move(options), {.wants_device_notices = false});
  const auto file = create("file");
  ASSERT_DONE(run(fs->write_striped(file, 0, pattern(1 << 20))));
  command("dlm-device /dev/sdb:10.0.0.12");
  cluster().run_for(1s);
  EXPECT_EQ(fs->notices().size(), 0u);
  EXPECT_EQ(fs->recalls().size(), 1u);
}

TEST_F(LayoutDevices, ANewLineMakesANewDeviceAndLayoutsComeBack) {
  auto options = quick();
  options.mds.dlm_device = "/dev/sdb:10.0.0.11,10.0.0.12";
  start(std::move(options));
  const auto file = create("file");
  const auto data = pattern(1 << 20);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  const deviceid4 old = file->layout->segments.front().device;
  command("dlm-device sdb:10.0.0.12,10.0.0.11");
  cluster().run_for(5s);
  EXPECT_EQ(fs->recalls().size(), 1u);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  EXPECT_NE(file->layout->segments.front().device, old) << "the order counts: other stripes";
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 1 << 20) == data);
  EXPECT_FALSE(mds::run_command(cluster().mds(), "dlm-device sdb:nowhere"));
}

// ---- personalities

struct Personalities : LayoutDevices {
  static Options of(mds::Profile profile, uint32_t data_servers = 2) {
    Options options;
    options.mds.lease = 10s;
    options.mds.profile = profile;
    options.data_servers = data_servers;
    return options;
  }
};

TEST_F(Personalities, Dlm2014AsItWas) {
  auto options = of(mds::Profile::dlm_2014, 3);
  start(std::move(options));
  const auto file = create("file");
  write(file, pattern(3 << 20));
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_READ)).status(), NFS4ERR_LAYOUTUNAVAILABLE) << "no line was written";
  command("dlm-device /dev/sdb:10.0.0.11,10.0.0.12,10.0.0.13");
  EXPECT_EQ(get(file, get_args(file, LAYOUTIOMODE4_RW)).status(), NFS4ERR_BADIOMODE) << "before anything else";
  auto bad = get_args(file, LAYOUTIOMODE4_RW);
  bad.loga_minlength = NFS4_UINT64_MAX - 1;
  bad.loga_layout_type = LAYOUT4_SCSI;
  EXPECT_EQ(get(file, bad).status(), NFS4ERR_BADIOMODE) << "the very first test";
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ, 4096, 4096)));
  const auto& segment = file->layout->segments.front();
  EXPECT_EQ(segment.offset, 0u);
  EXPECT_EQ(segment.length, NFS4_UINT64_MAX);
  EXPECT_EQ(segment.iomode, LAYOUTIOMODE4_READ);
  EXPECT_FALSE(segment.dense());
  EXPECT_FALSE(segment.commit_through_mds());
  EXPECT_EQ(segment.stripe_unit(), 1u << 20);
  EXPECT_EQ(segment.handles.size(), 1u);
  EXPECT_EQ(segment.pattern_offset, 0u);
  const auto attributes = run(fs->getattr("file"));
  EXPECT_EQ(segment.first_stripe_index, *attributes->fileid & 2u) << "inode AND (servers - 1)";
  EXPECT_EQ(segment.device.bytes[15], std::byte{1}) << "{superblock, 1}";
  const auto device = run(fs->device(segment.device));
  ASSERT_DONE(device);
  EXPECT_EQ((*device)->stripe_indices, (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ((*device)->data_servers[2].front(), cluster().ds_address(3));
  const auto got = run(fs->read_striped(file, 0, 3 << 20));
  ASSERT_DONE(got);
  EXPECT_EQ(count("ds1", "READ") + count("ds2", "READ") + count("ds3", "READ") > 0, true);
  LAYOUTCOMMIT4args commit;
  commit.loca_stateid = file->layout->stateid;
  EXPECT_EQ(ask<LAYOUTCOMMIT4res>(*fs, file->fh, OP_LAYOUTCOMMIT, commit).status(), NFS4ERR_NOTSUPP);
  // A new line replaces the list, and nobody is told.
  command("dlm-device /dev/sdb:10.0.0.12");
  cluster().run_for(15s);
  EXPECT_EQ(fs->notices().size() + fs->recalls().size(), 0u);
  pnfs().recall(0, 0);
  cluster().run_for(1s);
  EXPECT_EQ(fs->recalls().size(), 0u) << "it had no recall";
}

TEST_F(Personalities, Dlm2014DataServersCheckNoStateid) {
  auto options = of(mds::Profile::dlm_2014);
  options.mds.dlm_device = "/dev/sdb:10.0.0.11,10.0.0.12";
  start(std::move(options));
  const auto file = create("file");
  write(file, pattern(100'000));
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_READ)));
  file->stateid.other.bytes[11] ^= std::byte{0x55};
  EXPECT_EQ(read_at(file, 0, file->layout->segments.front()), NFS4_OK);
  file->stateid.other.bytes[11] ^= std::byte{0x55};
}

TEST_F(Personalities, LocalExportIsItsOwnDataServer) {
  start(of(mds::Profile::local_export, 0));
  EXPECT_NE(fs->session().exchange_flags() & EXCHGID4_FLAG_USE_PNFS_DS, 0u) << "both roles";
  EXPECT_NE(fs->session().exchange_flags() & EXCHGID4_FLAG_USE_PNFS_MDS, 0u);
  const auto file = create("file");
  const auto data = pattern(300'000);
  ASSERT_DONE(run(fs->layoutget(file, LAYOUTIOMODE4_RW)));
  EXPECT_TRUE(file->layout->segments.front().commit_through_mds());
  const auto device = run(fs->device(file->layout->segments.front().device));
  ASSERT_DONE(device);
  ASSERT_EQ((*device)->data_servers.size(), 1u);
  EXPECT_EQ((*device)->data_servers[0].front(), cluster().mds_address()) << "what OCFS2's users saw in r_addr";
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  const auto got = run(fs->read_striped(file, 0, 300'000));
  ASSERT_DONE(got);
  EXPECT_TRUE(got->bytes == data);
  EXPECT_TRUE(read(file, 300'000) == data);
}

TEST_F(Personalities, SpnfsStripesInEightKilobytes) {
  start(of(mds::Profile::spnfs));
  const auto file = create("file");
  const auto data = pattern(100'000);
  ASSERT_DONE(run(fs->write_striped(file, 0, data)));
  const auto& segment = file->layout->segments.front();
  EXPECT_EQ(segment.stripe_unit(), 8192u);
  EXPECT_FALSE(segment.dense());
  ASSERT_DONE(run(fs->commit_striped(file)));
  ASSERT_DONE(run(fs->layoutcommit(file)));
  EXPECT_TRUE(read(file, 100'000) == data);
}

}  // namespace
}  // namespace pnfs::cluster
