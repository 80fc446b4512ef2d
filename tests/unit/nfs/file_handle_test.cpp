#include "common/nfs/file_handle.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pnfs::nfs {
namespace {

const FileHandle kSample{HandleKind::ds, 0x1122334455667788, 0x0102030405060708, 9};

TEST(FileHandleTest, RoundTrip) {
  const auto wire = kSample.to_wire();
  EXPECT_EQ(FileHandle::from_wire(wire), kSample);
  EXPECT_EQ(FileHandle::from_wire(kSample.as(HandleKind::mds).to_wire())->kind, HandleKind::mds);
}

TEST(FileHandleTest, AnyDamagedByteIsRefused) {
  const auto wire = kSample.to_wire();
  for (size_t at = 0; at < wire.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = wire;
      damaged[at] ^= std::byte(1 << bit);
      EXPECT_EQ(FileHandle::from_wire(damaged), std::nullopt) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(FileHandleTest, WrongLengthsAreRefused) {
  const auto wire = kSample.to_wire();
  for (size_t length = 0; length < wire.size(); ++length) {
    EXPECT_EQ(FileHandle::from_wire(std::span(wire).first(length)), std::nullopt);
  }
  std::vector<std::byte> longer(wire.begin(), wire.end());
  longer.push_back(std::byte{0});
  EXPECT_EQ(FileHandle::from_wire(longer), std::nullopt);
}

TEST(FileHandleTest, FileidZeroIsRefusedEvenWithAGoodCheck) {
  FileHandle zero = kSample;
  zero.fileid = 0;
  EXPECT_EQ(FileHandle::from_wire(zero.to_wire()), std::nullopt);
}

TEST(FileHandleTest, OnlyDataServersHandlesStandForAStripe) {
  FileHandle dense = kSample;
  dense.stripe_index = 3;
  EXPECT_EQ(FileHandle::from_wire(dense.to_wire())->stripe_index, 3u);
  EXPECT_EQ(FileHandle::from_wire(dense.as(HandleKind::mds).to_wire()), std::nullopt);
}

}  // namespace
}  // namespace pnfs::nfs
