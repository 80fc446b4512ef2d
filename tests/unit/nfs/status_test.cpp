#include "common/nfs/status.hpp"

#include <gtest/gtest.h>

#include "common/nfs/session.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::nfs {
namespace {

TEST(StatusTest, NamesBothWays) {
  EXPECT_EQ(status_name(NFS4ERR_BADIOMODE), "NFS4ERR_BADIOMODE");
  EXPECT_EQ(status_name(static_cast<nfsstat4>(4242)), "nfsstat4(4242)");
  EXPECT_EQ(status_from_name("NFS4ERR_BADIOMODE"), NFS4ERR_BADIOMODE);
  EXPECT_EQ(status_from_name("badiomode"), NFS4ERR_BADIOMODE);
  EXPECT_EQ(status_from_name("ok"), NFS4_OK);
  EXPECT_EQ(status_from_name("10049"), NFS4ERR_BADIOMODE);
  EXPECT_FALSE(status_from_name("BADIO"));
  EXPECT_FALSE(status_from_name("10049x"));
  EXPECT_FALSE(status_from_name(""));
  for (const auto& e : nfsstat4_enumerators) EXPECT_EQ(status_from_name(e.name), static_cast<nfsstat4>(e.value));
}

TEST(StatusTest, FailCarriesReasonAndSection) {
  const Status s = fail(NFS4ERR_BADIOMODE, "18.43.3", "iomode {} is not READ or RW", 3);
  EXPECT_FALSE(s.ok());
  EXPECT_EQ(s.reason, "iomode 3 is not READ or RW");
  EXPECT_EQ(s.section, "18.43.3");
  EXPECT_TRUE(Status{}.ok());
}

TEST(BitmapTest, WordsBeyondTheCapacityAreReadAndRemembered) {
  Arena arena;
  xdr::Encoder e(arena);
  e.u32(10);
  for (uint32_t i = 0; i < 10; ++i) e.u32(i == 9 ? 1 : 2);
  e.u32(77);
  const auto wire = e.flatten();
  xdr::Decoder d(wire, arena);
  bitmap4 b;
  uint32_t after = 0;
  ASSERT_TRUE(xdr::decode(d, b) && d.u32(after));
  EXPECT_EQ(after, 77u);
  EXPECT_TRUE(b.has(1) && b.has(33) && !b.has(0));
  EXPECT_TRUE(b.beyond());
  EXPECT_EQ(b.words().size(), bitmap4::kWords);
  EXPECT_FALSE(b.within(bitmap4{}));
}

TEST(BitmapTest, SetClearAndIterate) {
  bitmap4 b{FATTR4_SIZE, FATTR4_MODE, FATTR4_SUPPATTR_EXCLCREAT};
  EXPECT_EQ(b.words().size(), 3u);
  b.clear(FATTR4_MODE);
  std::vector<uint32_t> seen;
  b.each([&](uint32_t bit) { seen.push_back(bit); });
  EXPECT_EQ(seen, (std::vector<uint32_t>{FATTR4_SIZE, FATTR4_SUPPATTR_EXCLCREAT}));
  EXPECT_EQ(b.bit_count(), 2u);
  EXPECT_TRUE((b & bitmap4{FATTR4_SIZE}).within(b));
  EXPECT_FALSE(b.none());
  b.clear();
  EXPECT_TRUE(b.none() && b == bitmap4{});
}

TEST(SessionTypesTest, ExchangeIdAsTheRfcLaysItOut) {
  Arena arena;
  EXCHANGE_ID4args args;
  const std::string_view owner = "linux client";
  args.eia_clientowner.co_ownerid.bytes = std::as_bytes(std::span(owner.data(), owner.size()));
  args.eia_flags = EXCHGID4_FLAG_SUPP_MOVED_REFER;
  args.eia_state_protect.spa_how = SP4_MACH_CRED;
  args.eia_state_protect.spa_mach_ops.spo_must_enforce = {OP_EXCHANGE_ID};
  xdr::Encoder e(arena);
  xdr::encode(e, args);
  // verifier 8, owner 4 + 12, flags 4, how 4, two bitmaps 4 + 8 and 4, no implementation id 4
  EXPECT_EQ(e.size(), 8u + 16 + 4 + 4 + 12 + 4 + 4);
  EXPECT_EQ(xdr::type_info<EXCHANGE_ID4args>.fields[2].type->fields[2].type->fields[0].type->names.size(), 57u);
}

}  // namespace
}  // namespace pnfs::nfs
