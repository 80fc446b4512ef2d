#include "testbed/target/ietd_config.hpp"

#include <gtest/gtest.h>

namespace pnfs::target {
namespace {

std::string failure(std::string_view text) {
  const auto parsed = parse_ietd_config(text, "ietd.conf");
  return parsed ? "(parsed)" : parsed.error().reason;
}

TEST(IetdConfig, ReadsWhatIetReads) {
  const auto parsed = parse_ietd_config(
      "# a comment\n"
      "IncomingUser joe secret12345678\n"
      "iSNSServer 10.0.0.1\n"
      "Target iqn.2001-04.com.Example:storage.disk\n"
      "\tIncomingUser jim otherwordsecret\n"
      "\tOutgoingUser james 12charsecret\n"
      "\tLun 0 Path=/dev/sdc,Type=fileio,\\\n"
      "ScsiId=xyz,ScsiSN=abc,IOMode=wb\n"
      "\tlun 16383 Sectors=10000,Type=nullio\n"
      "\tAlias Test\n"
      "\tHeaderDigest CRC32C,None\n"
      "\tInitialR2T No\n"
      "\tMaxBurstLength 524288\n"
      "\tWthreads 8\n",
      "ietd.conf");
  ASSERT_TRUE(parsed) << parsed.error().reason;
  ASSERT_EQ(parsed->config.targets.size(), 1u);
  const TargetSpec& target = parsed->config.targets[0];
  EXPECT_EQ(parsed->config.server.discovery.incoming.at(0).name, "joe");
  EXPECT_EQ(target.config.rules.name, "iqn.2001-04.com.example:storage.disk");
  EXPECT_EQ(target.config.rules.outgoing->secret, "12charsecret");
  EXPECT_EQ(target.config.rules.alias, "Test");
  EXPECT_FALSE(target.config.rules.offer.initial_r2t);
  EXPECT_EQ(target.config.rules.offer.header_digest, DigestOffer::either);
  EXPECT_EQ(target.config.rules.offer.max_burst_bytes, 524288u);
  ASSERT_EQ(target.units.size(), 2u);
  EXPECT_EQ(target.units[0].path, "/dev/sdc");
  EXPECT_EQ(target.units[0].unit.serial, "abc");
  EXPECT_EQ(target.units[0].unit.cache, scsi::CacheMode::write_back);
  EXPECT_EQ(target.units[1].size_bytes, 10000u * 512);
  EXPECT_EQ(parsed->notes.size(), 2u);
}

TEST(IetdConfig, WriteThroughIsTheDefault) {
  const auto parsed = parse_ietd_config("Target iqn.a:b\nLun 0 Path=/x,Type=fileio\n", "f");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->config.targets[0].units[0].unit.cache, scsi::CacheMode::write_through);
}

TEST(IetdConfig, ErrorsNameTheLine) {
  EXPECT_EQ(failure("Target iqn.a:b\n\nBogus 7\n"), "ietd.conf:3: Bogus: is not a directive of ietd.conf");
  EXPECT_EQ(failure("Target iqn.a:b\nInitialR2T yes\n"), "ietd.conf:2: InitialR2T: expected Yes or No, found 'yes'");
  EXPECT_EQ(failure("MaxBurstLength 7\n"),
            "ietd.conf:1: 'MaxBurstLength' is not a global directive; a Target must come first");
  EXPECT_EQ(failure("Target iqn.a:b\nLun 16384 Path=/x\n"),
            "ietd.conf:2: Lun: '16384' is not a number from 0 to 16383");
  EXPECT_EQ(failure("Target iqn.a:b\nLun 0 \\\nPath=/x,Type=tape\n"),
            "ietd.conf:2: Type: expected fileio, blockio or nullio, found 'tape'");
  EXPECT_EQ(failure("Target iqn.a:b\nTarget IQN.A:B\n").substr(0, 12), "ietd.conf:2:");
  EXPECT_EQ(failure("# nothing\n"), "ietd.conf: no Target is configured");
  EXPECT_EQ(failure("Target iqn.a:b\nLun 0 ScsiId=12345678901234567,Path=/x\n"),
            "ietd.conf:2: ScsiId: must have 1 to 16 characters");
}

TEST(AccessList, StopsAtAllAndRefusesWithoutALine) {
  const auto list = AccessList::parse(
      "# who may see what\n"
      "iqn.a:one 192.168.22.24, [3ffe:302:11::]/48, iqn.*:joe\n"
      "iqn.a:two 10.0.0.0/8\n"
      "ALL 127.0.0.1\n"
      "iqn.a:three ALL\n",
      "initiators.allow", true);
  ASSERT_TRUE(list) << list.error().reason;
  const auto at = [](const char* text) { return *io::parse_endpoint(text, 1); };
  EXPECT_TRUE(list->allows("iqn.a:one", at("192.168.22.24")));
  EXPECT_FALSE(list->allows("iqn.a:one", at("192.168.22.25")));
  EXPECT_TRUE(list->allows("iqn.a:one", at("[3ffe:302:11:2::1]:5")));
  EXPECT_TRUE(list->allows("iqn.a:one", at("9.9.9.9"), "iqn.2026:joe"));
  EXPECT_TRUE(list->allows("iqn.a:one", at("127.0.0.1")));
  EXPECT_TRUE(list->allows("iqn.a:two", at("10.200.3.4")));
  EXPECT_FALSE(list->allows("iqn.a:two", at("11.0.0.1")));
  EXPECT_FALSE(list->allows("iqn.a:three", at("10.0.0.1")));
  EXPECT_FALSE(AccessList::parse("", "f", true)->allows("iqn.a:one", at("127.0.0.1")));
  EXPECT_EQ(AccessList::parse("ALL 10.0.0.0/33\n", "targets.allow", false).error().reason,
            "targets.allow:1: '10.0.0.0/33': the prefix length is a number from 0 to 32");
}

}  // namespace
}  // namespace pnfs::target
