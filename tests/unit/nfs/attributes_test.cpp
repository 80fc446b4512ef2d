#include "common/nfs/attributes.hpp"

#include <gtest/gtest.h>

#include "common/base/random.hpp"
#include "common/xdr/random_value.hpp"

namespace pnfs::nfs {
namespace {

struct AttributesTest : ::testing::Test {
  Arena arena;
  std::span<const std::byte> words(std::initializer_list<uint32_t> list) {
    xdr::Encoder e(arena);
    for (uint32_t w : list) e.u32(w);
    const auto bytes = e.flatten();
    return arena.copy(std::span<const std::byte>(bytes));
  }
  Status decode(const bitmap4& mask, std::initializer_list<uint32_t> values, DecodeFor purpose = DecodeFor::set,
                const bitmap4& supported = kKnownAttributes) {
    Attributes out;
    return decode_attributes({mask, {words(values)}}, supported, purpose, arena, out);
  }
};

TEST_F(AttributesTest, OnlyWhatIsWantedAndPresentInAscendingOrder) {
  Attributes a;
  a.mode = 0644;
  a.size = 7;
  a.type = NF4REG;
  a.present = {FATTR4_MODE, FATTR4_SIZE, FATTR4_TYPE};
  const fattr4 f = encode_attributes(arena, {FATTR4_MODE, FATTR4_TYPE, FATTR4_OWNER}, a);
  EXPECT_EQ(f.attrmask, (bitmap4{FATTR4_TYPE, FATTR4_MODE}));
  const auto expected = words({NF4REG, 0644});
  EXPECT_TRUE(std::ranges::equal(f.attr_vals.bytes, expected));
  EXPECT_EQ(encode_attributes(arena, {}, a).attr_vals.size(), 0u);
}

TEST_F(AttributesTest, EveryAttributeRoundTrips) {
  SeededRandom random(5);
  for (int round = 0; round < 20; ++round) {
    Attributes a;
    for (const AttributeInfo& info : attribute_infos()) {
      xdr::fill_random({*info.type, info.locate(a)}, random, arena);
      a.present.set(info.number);
    }
    for (nfstime4* t : {&a.time_access, &a.time_backup, &a.time_create, &a.time_delta, &a.time_metadata, &a.time_modify,
                        &a.dir_notif_delay, &a.dirent_notif_delay, &a.time_access_set.time, &a.time_modify_set.time})
      t->nseconds %= 1'000'000'000;
    const fattr4 f = encode_attributes(arena, kKnownAttributes, a);
    EXPECT_EQ(f.attrmask, kKnownAttributes);
    Attributes back;
    const Status s = decode_attributes(f, kKnownAttributes, DecodeFor::read, arena, back);
    ASSERT_TRUE(s.ok()) << s.reason;
    EXPECT_EQ(back.present, kKnownAttributes);
    for (const AttributeInfo& info : attribute_infos())
      EXPECT_EQ(xdr::FieldView(*info.type, info.locate(a)).to_line(),
                xdr::FieldView(*info.type, info.locate(back)).to_line())
          << info.name;
    for (size_t cut = 0; cut < f.attr_vals.size(); cut += 1 + random.below(4)) {
      const std::vector<std::byte> part(f.attr_vals.bytes.begin(),
                                        f.attr_vals.bytes.begin() + static_cast<ptrdiff_t>(cut));
      EXPECT_EQ(decode_attributes({f.attrmask, {part}}, kKnownAttributes, DecodeFor::read, arena, back).status,
                NFS4ERR_BADXDR);
    }
  }
}

TEST_F(AttributesTest, TellsTheErrorsApart) {
  EXPECT_TRUE(decode({FATTR4_MODE}, {0644}).ok());
  EXPECT_EQ(decode({FATTR4_MODE}, {}).status, NFS4ERR_BADXDR);
  EXPECT_EQ(decode({FATTR4_MODE}, {0644, 0}).status, NFS4ERR_BADXDR);
  EXPECT_EQ(decode({FATTR4_ARCHIVE}, {7}).status, NFS4ERR_BADXDR);
  EXPECT_EQ(decode({FATTR4_CHANGE}, {0, 1}).status, NFS4ERR_INVAL) << "get-only";
  EXPECT_EQ(decode({FATTR4_DACL}, {}).status, NFS4ERR_ATTRNOTSUPP);
  EXPECT_EQ(decode({200}, {}).status, NFS4ERR_ATTRNOTSUPP);
  EXPECT_EQ(decode({FATTR4_ARCHIVE}, {1}, DecodeFor::set, {FATTR4_MODE}).status, NFS4ERR_ATTRNOTSUPP);
  EXPECT_EQ(decode({FATTR4_TIME_MODIFY_SET}, {SET_TO_SERVER_TIME4}).status, NFS4_OK);
  EXPECT_EQ(decode({FATTR4_TIME_MODIFY_SET}, {SET_TO_CLIENT_TIME4, 0, 1, 1'000'000'000}).status, NFS4ERR_INVAL);
  EXPECT_EQ(decode({FATTR4_TIME_MODIFY_SET}, {SET_TO_CLIENT_TIME4, 0, 1, 999'999'999}).status, NFS4_OK);
  EXPECT_EQ(decode({FATTR4_TIME_MODIFY_SET}, {SET_TO_SERVER_TIME4}, DecodeFor::compare).status, NFS4ERR_INVAL);
  EXPECT_EQ(decode({FATTR4_RDATTR_ERROR}, {0}, DecodeFor::compare).status, NFS4ERR_INVAL);
  EXPECT_EQ(check_get({FATTR4_TIME_MODIFY_SET}).status, NFS4ERR_INVAL);
  EXPECT_TRUE(check_get({FATTR4_SIZE, 200}).ok());
  EXPECT_NE(check_get({FATTR4_LAYOUT_HINT}).reason.find("LAYOUT_HINT"), std::string::npos);
}

TEST_F(AttributesTest, TableIsAscendingAndAgreesWithTheRfc) {
  int previous = -1;
  for (const AttributeInfo& info : attribute_infos()) {
    EXPECT_GT(static_cast<int>(info.number), previous);
    previous = info.number;
    EXPECT_EQ(find_attribute(info.number), &info);
  }
  EXPECT_EQ(find_attribute(FATTR4_SACL), nullptr);
  EXPECT_EQ(find_attribute(100000), nullptr);
  EXPECT_EQ(kSetOnlyAttributes,
            (bitmap4{FATTR4_TIME_ACCESS_SET, FATTR4_TIME_MODIFY_SET, FATTR4_LAYOUT_HINT, FATTR4_MODE_SET_MASKED}));
}

}  // namespace
}  // namespace pnfs::nfs
