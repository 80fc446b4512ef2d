#include "testbed/client/layout.hpp"

#include <gtest/gtest.h>

namespace pnfs::client {
namespace {

Fh fh(int value) {
  return {static_cast<std::byte>(value)};
}

// The example that RFC 8881 13.4.2 and 13.4.3 work through.
struct RfcExample : ::testing::Test {
  Device device;
  LayoutSegment segment;
  void SetUp() override {
    device.stripe_indices = {2, 0, 1, 0};
    device.data_servers.resize(3);
    segment.length = nfs::NFS4_UINT64_MAX;
    segment.util = 4096;
    segment.first_stripe_index = 2;
  }
  uint32_t server(uint64_t sui) { return place_of(segment, device, sui * 4096)->data_server; }
  Fh handle(uint64_t sui) { return segment.handles[place_of(segment, device, sui * 4096)->handle]; }
};

TEST_F(RfcExample, SparsePlacesTheFirstThirteenUnits) {
  segment.handles = {fh(0x36), fh(0x87), fh(0x67)};
  const uint32_t servers[] = {1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1};
  const int handles[] = {0x87, 0x36, 0x67, 0x36, 0x87, 0x36, 0x67, 0x36, 0x87, 0x36, 0x67, 0x36, 0x87};
  for (uint64_t sui = 0; sui < 13; ++sui) {
    EXPECT_EQ(server(sui), servers[sui]) << sui;
    EXPECT_EQ(handle(sui), fh(handles[sui])) << sui;
    EXPECT_EQ(place_of(segment, device, sui * 4096 + 7)->offset, sui * 4096 + 7);
    EXPECT_EQ(place_of(segment, device, sui * 4096 + 7)->bytes, 4096u - 7);
  }
}

TEST_F(RfcExample, DensePlacesTheFirstThirteenUnits) {
  segment.util |= nfs::NFL4_UFLG_DENSE;
  segment.handles = {fh(0x67), fh(0x37), fh(0x87), fh(0x36)};
  const uint32_t servers[] = {1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1};
  const int handles[] = {0x87, 0x36, 0x67, 0x37, 0x87, 0x36, 0x67, 0x37, 0x87, 0x36, 0x67, 0x37, 0x87};
  for (uint64_t sui = 0; sui < 13; ++sui) {
    EXPECT_EQ(server(sui), servers[sui]) << sui;
    EXPECT_EQ(handle(sui), fh(handles[sui])) << sui;
    EXPECT_EQ(place_of(segment, device, sui * 4096 + 7)->offset, sui / 4 * 4096 + 7);
  }
}

TEST_F(RfcExample, UnitsCountFromThePatternsStart) {
  segment.handles = {fh(0x36), fh(0x87), fh(0x67)};
  segment.pattern_offset = 10'000;
  EXPECT_EQ(place_of(segment, device, 10'000)->data_server, 1u);
  EXPECT_EQ(place_of(segment, device, 10'000 + 4096)->data_server, 0u);
  EXPECT_FALSE(place_of(segment, device, 9'999));
}

TEST_F(RfcExample, WhatDoesNotFitIsRefused) {
  segment.handles = {fh(1), fh(2)};
  EXPECT_FALSE(place_of(segment, device, 0));
  segment.handles = {fh(1)};
  EXPECT_TRUE(place_of(segment, device, 0));
  segment.handles = {};
  EXPECT_TRUE(place_of(segment, device, 0));
  device.stripe_indices = {3};
  EXPECT_FALSE(place_of(segment, device, 0));
  device.stripe_indices = {};
  EXPECT_FALSE(place_of(segment, device, 0));
  device.stripe_indices = {0};
  segment.util = 0;
  EXPECT_FALSE(place_of(segment, device, 0));
}

}  // namespace
}  // namespace pnfs::client
