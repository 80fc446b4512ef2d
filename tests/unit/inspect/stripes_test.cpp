#include "testbed/inspect/stripes.hpp"

#include <gtest/gtest.h>

#include "testbed/inspect/nodes.hpp"

namespace pnfs::inspect {
namespace {

control::StripingRecord record(uint32_t servers, uint32_t stripes, bool dense, uint64_t pattern_offset = 0) {
  control::StripingRecord out;
  out.deviceid = "00";
  for (uint32_t i = 0; i < servers; ++i) out.servers.push_back({i + 1, "ds" + std::to_string(i + 1), {}});
  for (uint32_t i = 0; i < stripes; ++i) out.stripe_indices.push_back(i % servers);
  out.rules.stripe_bytes = 4096;
  out.rules.dense = dense;
  out.rules.pattern_offset = pattern_offset;
  out.rules.first_index = control::FirstIndexRule::inode_modulo;
  return out;
}

// Every byte of the file is in exactly one stripe file, where RFC 8881 13.4 puts it.
TEST(Stripes, CoverTheFileOnce) {
  for (const bool dense : {false, true}) {
    for (const uint32_t stripes : {1u, 2u, 3u, 5u}) {
      for (const uint64_t fileid : {10u, 11u, 12u}) {
        for (const uint64_t size : {0u, 1u, 4096u, 4097u, 20'000u, 65'536u, 100'001u}) {
          std::vector<int> seen(size);
          const auto all = stripe_files(record(3, stripes, dense), fileid);
          for (const StripeFile& each : all) {
            const uint64_t own = each.size(size);
            uint64_t at = 0;
            for (const auto& piece : own == 0 ? std::vector<StripeFile::Piece>() : each.map(0, own)) {
              EXPECT_EQ(piece.offset, at);
              at += piece.length;
              if (piece.hole) continue;
              if (!dense) {
                EXPECT_EQ(piece.file_offset, piece.offset);
              }
              for (uint64_t i = 0; i < piece.length; ++i) {
                ASSERT_LT(piece.file_offset + i, size) << each.name << " dense " << dense << " stripes " << stripes;
                ++seen[piece.file_offset + i];
              }
            }
            EXPECT_EQ(at, own);
          }
          EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }))
              << "dense " << dense << " stripes " << stripes << " fileid " << fileid << " size " << size;
        }
      }
    }
  }
}

TEST(Stripes, AWindowOfAMapIsThatPartOfTheWhole) {
  const auto all = stripe_files(record(2, 4, true), 7);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].name, "ds1.0");
  for (const StripeFile& each : all) {
    const auto part = each.map(5000, 3000);
    ASSERT_EQ(part.size(), 1u);
    EXPECT_EQ(part[0].file_offset % 4096, 5000u % 4096);
    EXPECT_EQ(part[0].file_offset, each.map(4096, 4096)[0].file_offset + 904);
  }
}

TEST(StripingRecord, ComesBackAsItWasWritten) {
  const auto before = record(3, 6, true, 8192);
  const auto after = control::parse_striping(control::to_text(before));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(*after, before);
  for (const char* wrong : {"", "{}", "[1]", "null", R"({"deviceid":1})"}) EXPECT_FALSE(control::parse_striping(wrong));
  auto senseless = before;
  senseless.stripe_indices.push_back(9);
  EXPECT_FALSE(control::parse_striping(control::to_text(senseless)));
}

TEST(StripingRecord, AFilesOwnRulesGoOverTheVolumes) {
  const auto volume = record(2, 2, false);
  EXPECT_EQ(volume.with(""), volume);
  auto wider = volume.with("unit=8K packing=dense");
  EXPECT_EQ(wider.rules.stripe_bytes, 8192u);
  EXPECT_TRUE(wider.rules.dense);
  EXPECT_EQ(wider.stripe_indices, volume.stripe_indices);
  EXPECT_EQ(wider.deviceid, "00");
  wider = volume.with("count=4");
  EXPECT_EQ(wider.stripe_indices, (std::vector<uint32_t>{0, 1, 0, 1}));
  EXPECT_EQ(wider.deviceid, "") << "another device, of which the volume says nothing";
  EXPECT_EQ(record(2, 4, false).with("count=0").stripe_indices, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(volume.with("unit=5"), volume) << "passed over, as the MDS does";
  auto no_handles = volume;
  no_handles.rules.handles = control::HandleRule::none;
  EXPECT_EQ(no_handles.with("packing=dense"), no_handles) << "13.3: dense needs a filehandle for each stripe";
}

TEST(Nodes, NumbersComeBackAsTheNodesTheyWere) {
  for (const NodeId& node : {fixed(Fixed::root), fixed(Fixed::last_error), NodeId{Kind::file, 0, kMostFileId},
                             NodeId{Kind::inode, 0, 1}, part(Part::stripes, 77), NodeId{Kind::stripe, 4095, 5},
                             NodeId{Kind::live, 3, 0}})
    EXPECT_EQ(from_ino(to_ino(node)), node);
  EXPECT_EQ(to_ino(fixed(Fixed::root)), 1u) << "FUSE_ROOT_ID";
  EXPECT_FALSE(from_ino(UINT64_MAX));
}

}  // namespace
}  // namespace pnfs::inspect
