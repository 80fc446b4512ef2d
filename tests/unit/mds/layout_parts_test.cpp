#include <gtest/gtest.h>

#include "common/base/config.hpp"
#include "common/xdr/codec.hpp"
#include "mds/layout/dlm_device.hpp"
#include "mds/layout/striping.hpp"

namespace pnfs::mds::layout {
namespace {

TEST(DlmDevices, TakesTheLineOf2014) {
  DlmDevices devices;
  ASSERT_TRUE(devices.write("/dev/sdb:10.0.0.1,10.0.0.2\n"));
  EXPECT_EQ(devices.servers_of("sdb"), (std::vector<std::string>{"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(devices.servers_of("/dev/sdb").size(), 2u);
  EXPECT_TRUE(devices.servers_of("sdb1").empty());
  ASSERT_TRUE(devices.write("sdb:10.0.0.3"));
  EXPECT_EQ(devices.servers_of("sdb"), (std::vector<std::string>{"10.0.0.3"}));
  EXPECT_EQ(devices.text(), "sdb:10.0.0.3\n");
}

TEST(DlmDevices, SplitsAtTheFirstColonSoThatIpv6Works) {
  DlmDevices devices;
  ASSERT_TRUE(devices.write("sdb:fe80::1,::1"));
  EXPECT_EQ(devices.servers_of("sdb"), (std::vector<std::string>{"fe80::1", "::1"}));
}

TEST(DlmDevices, RefusesWithASentence) {
  DlmDevices devices;
  for (const char* line : {"", "sdb", "sdb:", ":10.0.0.1", "sdb:ten", "sdb:1.2.3.4 x", "sdb:1.2.3.4,"}) {
    const auto result = devices.write(line);
    ASSERT_FALSE(result) << line;
    EXPECT_EQ(result.error().code, Errc::invalid);
  }
  std::string many = "sdb:1.2.3.4";
  while (many.size() < 600) many += ",1.2.3.4";
  EXPECT_FALSE(devices.write(many));
  EXPECT_TRUE(devices.empty());
}

TEST(DlmDevices, QuirksAreThereWhenAskedFor) {
  DlmDevices devices({.keeps_old_tail = true, .prefix_match = true});
  ASSERT_TRUE(devices.write("sdb:10.0.0.1,10.0.0.2"));
  ASSERT_TRUE(devices.write("sdb:10.0.0.3"));
  EXPECT_EQ(devices.servers_of("sdb"), (std::vector<std::string>{"10.0.0.3", "10.0.0.2"}));
  EXPECT_EQ(devices.servers_of("sdb1").size(), 2u);
}

TEST(Personality, NamesAndOverrides) {
  EXPECT_TRUE(make_personality("modern")->grants_rw);
  EXPECT_FALSE(make_personality("dlm-2014")->grants_rw);
  EXPECT_TRUE(make_personality("local-export")->commit_thru_mds);
  EXPECT_EQ(make_personality("spnfs")->stripe_bytes, 8192u);
  EXPECT_FALSE(make_personality("gfs"));
  auto file = ConfigFile::parse("[layout]\nprofile = 'dlm-2014'\nstripe_bytes = 8192\ndense = true\n", "t");
  ASSERT_TRUE(file);
  Personality p;
  auto reader = file->table("layout");
  ASSERT_TRUE(read_personality(reader, p));
  ASSERT_TRUE(file->finish());
  EXPECT_EQ(p.name, "dlm-2014");
  EXPECT_EQ(p.stripe_bytes, 8192u);
  EXPECT_TRUE(p.dense);
  p.stripe_bytes = 1000;
  EXPECT_FALSE(check_personality(p));
}

std::vector<DataServer> servers(uint32_t count) {
  std::vector<DataServer> out;
  for (uint32_t i = 1; i <= count; ++i) out.push_back({i, "ds", {{"", static_cast<uint16_t>(12049 + i)}}});
  return out;
}

TEST(Devices, EqualDevicesHaveEqualIdsAndOthersDoNot) {
  DeviceTable table(42), again(42);
  const auto two = table.device_for(servers(2), 0);
  EXPECT_EQ(two->id, again.device_for(servers(2), 0)->id);
  EXPECT_NE(two->id, table.device_for(servers(3), 0)->id);
  EXPECT_NE(two->id, table.device_for(servers(2), 4)->id);
  EXPECT_NE(two->id, DeviceTable(43).device_for(servers(2), 0)->id);
  EXPECT_EQ(table.find(two->id), two);
  EXPECT_EQ(table.device_for({}, 0), nullptr);
}

TEST(Devices, AddressesFollowTheClientUnlessConfigured) {
  DeviceTable table(42);
  auto list = servers(2);
  list[1].addresses = {{"10.1.1.1", 2049}};
  const auto device = table.device_for(list, 0);
  Arena arena;
  const auto local = io::parse_endpoint("192.168.5.6:12049");
  const auto body = device_address(*device, *local, arena);
  ASSERT_EQ(body.nflda_multipath_ds_list.size(), 2u);
  EXPECT_EQ(body.nflda_multipath_ds_list[0][0].na_r_addr.text, "192.168.5.6.47.18");
  EXPECT_EQ(body.nflda_multipath_ds_list[0][0].na_r_netid.text, "tcp");
  EXPECT_EQ(body.nflda_multipath_ds_list[1][0].na_r_addr.text, "10.1.1.1.8.1");
}

TEST(Devices, MoreStripesThanServers) {
  DeviceTable table(42);
  const auto device = table.device_for(servers(2), 5);
  EXPECT_EQ(device->stripe_indices, (std::vector<uint32_t>{0, 1, 0, 1, 0}));
  EXPECT_EQ(device->indices_of(1), (std::vector<uint32_t>{0, 2, 4}));
  EXPECT_TRUE(device->uses(2));
  EXPECT_FALSE(device->uses(3));
}

struct FakeHandles final : HandleMaker {
  std::span<const std::byte> make(Arena& arena, bool dense, uint32_t index) const override {
    const std::byte bytes[2] = {std::byte{static_cast<uint8_t>(dense)}, static_cast<std::byte>(index)};
    return arena.copy(std::span<const std::byte>(bytes));
  }
};

nfs::nfsv4_1_file_layout4 decode(std::span<const std::byte> bytes, Arena& arena) {
  nfs::nfsv4_1_file_layout4 body;
  xdr::Decoder decoder(bytes, arena);
  EXPECT_TRUE(xdr::decode(decoder, body));
  EXPECT_EQ(decoder.left(), 0u);
  return body;
}

TEST(Striping, SparseHasOneHandleDenseOnePerStripe) {
  DeviceTable table(42);
  const auto device = table.device_for(servers(2), 4);
  Arena arena;
  Personality p;
  auto body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_util, p.stripe_bytes);
  EXPECT_EQ(body.nfl_fh_list.size(), 1u);
  p.one_handle = false;
  body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_fh_list.size(), 2u);
  p.dense = true;
  p.commit_thru_mds = true;
  body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_util, p.stripe_bytes | nfs::NFL4_UFLG_DENSE | nfs::NFL4_UFLG_COMMIT_THRU_MDS);
  ASSERT_EQ(body.nfl_fh_list.size(), 4u);
  EXPECT_EQ(body.nfl_fh_list[3].bytes[1], std::byte{3});
}

TEST(Striping, TheMaskOf2014LeavesIndexOneOutOfThree) {
  DeviceTable table(42);
  const auto device = table.device_for(servers(3), 0);
  const Personality p = *make_personality("dlm-2014");
  for (uint64_t fileid = 0; fileid < 8; ++fileid) EXPECT_NE(make_striping(p, device, fileid).first_index, 1u);
  EXPECT_EQ(make_striping(p, device, 2).first_index, 2u);
}

TEST(Striping, AServersShareIsItsStripeIndices) {
  DeviceTable table(42);
  const auto striping = make_striping({}, table.device_for(servers(2), 0), 9);
  const auto set = striping.set_of(2, {0, 1 << 20}, nullptr);
  EXPECT_EQ(set.indices, std::vector<uint32_t>{1});
  EXPECT_TRUE(set.contains({65536, 131072}));
  const uint32_t not_served = 0;
  EXPECT_TRUE(striping.set_of(2, {}, &not_served).indices.empty());
}

}  // namespace
}  // namespace pnfs::mds::layout
