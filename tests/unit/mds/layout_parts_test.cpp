#include <gtest/gtest.h>

#include "common/xdr/codec.hpp"
#include "mds/layout/dlm_device.hpp"
#include "mds/layout/layout_hint.hpp"
#include "mds/layout/notify_book.hpp"
#include "mds/layout/personality.hpp"
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

TEST(Personality, NamesAndWords) {
  EXPECT_TRUE(make_personality("modern")->grants_rw);
  EXPECT_FALSE(make_personality("dlm-2014")->grants_rw);
  EXPECT_TRUE(make_personality("local-export")->striping.commit_thru_mds);
  EXPECT_EQ(make_personality("spnfs")->striping.stripe_bytes, 8192u);
  EXPECT_FALSE(make_personality("gfs"));
  Personality p = *make_personality("dlm-2014");
  ASSERT_TRUE(apply_words(p, "unit=8K, packing=dense  rw=yes threshold-read-size=64K device-change=immediate"));
  EXPECT_EQ(p.name, "dlm-2014");
  EXPECT_EQ(p.striping.stripe_bytes, 8192u);
  EXPECT_TRUE(p.striping.dense);
  EXPECT_TRUE(p.grants_rw);
  EXPECT_EQ(p.thresholds[0], 65536u);
  EXPECT_TRUE(p.device_change_immediate);
}

TEST(Personality, RefusesWordsWithASentence) {
  for (const char* words :
       {"unit=1000", "unit=0", "unit=2G", "count=5000", "packing=thick", "pattern=100", "segment=1K", "segments=0",
        "filehandles=two", "colour=red", "unit", "rw=maybe", "unit=8Q", "packing=dense filehandles=none",
        "threshold-read-size=x", "return-on-close=1"}) {
    Personality p;
    const auto done = apply_words(p, words);
    ASSERT_FALSE(done) << words;
    EXPECT_EQ(done.error().code, Errc::invalid);
    EXPECT_EQ(p.striping, StripingRules{}) << words << " changed something";
  }
}

TEST(Personality, DirectoriesHaveStripingOfTheirOwn) {
  Personality p;
  ASSERT_TRUE(add_directory(p, "/dense packing=dense unit=4K"));
  ASSERT_EQ(p.directories.size(), 1u);
  EXPECT_EQ(p.directories[0].path, "/dense");
  EXPECT_FALSE(add_directory(p, "dense unit=4K")) << "not from the root";
  EXPECT_FALSE(add_directory(p, "/dense"));
  EXPECT_FALSE(add_directory(p, "/dense rw=no")) << "not a word of striping";
}

nfs::layouthint4 hint(nfs::nfsv4_1_file_layouthint4 body, Arena& arena) {
  xdr::Encoder encoder(arena);
  xdr::encode(encoder, body);
  return {nfs::LAYOUT4_NFSV4_1_FILES, {arena.copy(std::span<const std::byte>(encoder.flatten()))}};
}

TEST(LayoutHint, SaysWhatTheClientCaresAboutAndNoMore) {
  Arena arena;
  std::string words;
  const uint32_t all = nfs::NFLH4_CARE_DENSE | nfs::NFLH4_CARE_COMMIT_THRU_MDS | nfs::NFLH4_CARE_STRIPE_UNIT_SIZE |
                       nfs::NFLH4_CARE_STRIPE_COUNT;
  ASSERT_TRUE(words_of_hint(hint({all, 16384 | nfs::NFL4_UFLG_DENSE, 6}, arena), words).ok());
  EXPECT_EQ(words, "packing=dense commit=ds unit=16384 count=6");
  ASSERT_TRUE(words_of_hint(hint({nfs::NFLH4_CARE_STRIPE_COUNT, 16384, 6}, arena), words).ok());
  EXPECT_EQ(words, "count=6");
  ASSERT_TRUE(words_of_hint(hint({all, 64, 100'000}, arena), words).ok());
  EXPECT_EQ(words, "packing=sparse commit=ds") << "a unit of 64 bytes and 100,000 stripes are passed over";
  EXPECT_EQ(words_of_hint({nfs::LAYOUT4_NFSV4_1_FILES, {}}, words).status, nfs::NFS4ERR_BADXDR);
  EXPECT_TRUE(words_of_hint({nfs::LAYOUT4_BLOCK_VOLUME, {}}, words).ok()) << "of another type: passed over";
  EXPECT_TRUE(words.empty());
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

TEST(Devices, AFixedIdChangesItsMeaning) {
  DeviceTable table(42);
  const auto before = table.device_for(servers(2), 0, true);
  const uint64_t version = table.version();
  EXPECT_EQ(table.device_for(servers(2), 0, true), before);
  EXPECT_EQ(table.version(), version);
  const auto after = table.device_for(servers(3), 0, true);
  EXPECT_EQ(after->id, before->id);
  EXPECT_EQ(after->id.bytes[15], std::byte{1}) << "pnfs-dlm's was {superblock, 1}";
  EXPECT_EQ(table.find(before->id), after);
  EXPECT_NE(table.version(), version);
  EXPECT_EQ(before->servers.size(), 2u) << "who holds the old one keeps it";
  EXPECT_NE(table.device_for(servers(3), 6, true)->id, after->id);
}

TEST(Devices, ADeletedIdNeverComesBack) {
  DeviceTable table(42);
  const auto first = table.device_for(servers(2), 0);
  table.forget(first->id);
  EXPECT_EQ(table.find(first->id), nullptr);
  const auto again = table.device_for(servers(2), 0);
  EXPECT_NE(again->id, first->id) << "RFC 8881 12.2.10";
  table.forget(again->id);
  EXPECT_NE(table.device_for(servers(2), 0)->id, again->id);
}

TEST(Devices, MultipathListsHaveEveryAddress) {
  DeviceTable table(42);
  auto list = servers(1);
  list[0].addresses = {{"10.1.1.1", 2049}, {"fe80::1", 2050}, {"", 0}};
  Arena arena;
  const auto body = device_address(*table.device_for(list, 0), *io::parse_endpoint("192.168.5.6:12049"), arena);
  ASSERT_EQ(body.nflda_multipath_ds_list.size(), 1u);
  const auto& paths = body.nflda_multipath_ds_list[0];
  ASSERT_EQ(paths.size(), 3u);
  EXPECT_EQ(paths[1].na_r_netid.text, "tcp6");
  EXPECT_EQ(paths[2].na_r_addr.text, "192.168.5.6.47.17") << "without address and port: where the client is connected";
}

TEST(NotifyBook, TheLastWishOfAClientCounts) {
  NotifyBook book;
  const nfs::deviceid4 a{.bytes = {std::byte{1}}}, b{.bytes = {std::byte{2}}};
  book.wanted(1, a, true, true);
  book.wanted(2, a, true, false);
  book.wanted(1, b, false, true);
  EXPECT_EQ(book.for_change(a), (std::vector<nfs::clientid4>{1, 2}));
  EXPECT_EQ(book.for_deletion(a), (std::vector<nfs::clientid4>{1}));
  book.wanted(1, a, false, false);
  EXPECT_EQ(book.for_change(a), (std::vector<nfs::clientid4>{2}));
  book.drop_client(2);
  EXPECT_TRUE(book.for_change(a).empty());
  EXPECT_EQ(book.for_deletion(b), (std::vector<nfs::clientid4>{1}));
  book.drop_device(b);
  EXPECT_TRUE(book.empty());
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

TEST(Striping, FilehandlesAreNoneOneEachOrOnePerStripe) {
  DeviceTable table(42);
  const auto device = table.device_for(servers(2), 4);
  Arena arena;
  StripingRules p;
  p.handles = HandleRule::none;
  auto body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_fh_list.size(), 0u);
  p.handles = HandleRule::one;
  body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_util, p.stripe_bytes);
  EXPECT_EQ(body.nfl_fh_list.size(), 1u);
  p.handles = HandleRule::each;
  body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_fh_list.size(), 2u);
  p.dense = true;
  p.commit_thru_mds = true;
  body = decode(layout_body(make_striping(p, device, 9), FakeHandles{}, arena), arena);
  EXPECT_EQ(body.nfl_util, p.stripe_bytes | nfs::NFL4_UFLG_DENSE | nfs::NFL4_UFLG_COMMIT_THRU_MDS);
  ASSERT_EQ(body.nfl_fh_list.size(), 4u);
  EXPECT_EQ(body.nfl_fh_list[3].bytes[1], std::byte{3});
}

using Pieces = std::vector<control::ByteRange>;

TEST(Striping, SegmentsFollowTables13And14) {
  DeviceTable table(42);
  StripingRules rules;
  const auto cut = [&](uint64_t offset, uint64_t wanted_end, uint64_t need_end) {
    return cut_segments(make_striping(rules, table.device_for(servers(2), 0), 9), offset, wanted_end, need_end);
  };
  EXPECT_EQ(cut(5000, 6000, 6000), (Pieces{{0, control::kToEnd}})) << "the whole file unless it is cut";
  rules.segment_bytes = 8192;
  rules.segments = 3;
  EXPECT_EQ(cut(5000, 6000, 6000), (Pieces{{0, 8192}}));
  EXPECT_EQ(cut(5000, 10'000, 5000), (Pieces{{0, 8192}, {8192, 16384}}));
  EXPECT_EQ(cut(8192, control::kToEnd, 8193), (Pieces{{8192, 16384}, {16384, 24576}, {24576, 32768}}))
      << "no more in one reply than the rules say";
  EXPECT_EQ(cut(0, 40'000, 40'000).size(), 5u) << "but what is required comes";
  EXPECT_TRUE(cut(0, control::kToEnd, control::kToEnd).empty()) << "no number of segments reaches the end of any file";
  EXPECT_TRUE(cut(0, 10'000'000, 10'000'000).empty()) << "nor that many";
  EXPECT_EQ(cut(UINT64_MAX - 100, control::kToEnd, control::kToEnd).back().end, control::kToEnd);
}

TEST(Striping, NothingBeforeThePatternHasALayout) {
  DeviceTable table(42);
  StripingRules rules;
  rules.pattern_offset = 4096;
  const auto cut = [&](uint64_t offset) {
    return cut_segments(make_striping(rules, table.device_for(servers(2), 0), 9), offset, control::kToEnd, offset + 1);
  };
  EXPECT_TRUE(cut(4095).empty());
  EXPECT_EQ(cut(4096), (Pieces{{4096, control::kToEnd}}));
  rules.segment_bytes = 8192;
  EXPECT_EQ(cut(5000).front(), (control::ByteRange{4096, 8192})) << "segments start no earlier than the pattern";
}

TEST(Striping, TheMaskOf2014LeavesIndexOneOutOfThree) {
  DeviceTable table(42);
  const auto device = table.device_for(servers(3), 0);
  const StripingRules p = make_personality("dlm-2014")->striping;
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
