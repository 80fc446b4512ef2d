#include "common/control/wire.hpp"

#include <gtest/gtest.h>

#include "common/control/verifier.hpp"

namespace pnfs::control {
namespace {

TEST(ControlWire, AStripeSetComesBackAsItWent) {
  Arena arena;
  StripeSet set{.window = {4096, kToEnd},
                .unit_bytes = 65536,
                .count = 4,
                .pattern_offset = 8192,
                .first_index = 3,
                .indices = {0, 2}};
  EXPECT_EQ(from_wire(to_wire(set, arena)), set);
  set.window = {4096, 8192};
  EXPECT_EQ(from_wire(to_wire(set, arena)), set);
}

TEST(ControlWire, ARefusalCarriesOnlyItsReason) {
  Arena arena;
  GRANTres res;
  res.status = CTL_DELAY;
  res.reason.text = "not yet";
  xdr::Encoder encoder(arena);
  xdr::encode(encoder, res);
  const auto bytes = encoder.flatten();
  xdr::Decoder decoder(bytes, arena);
  GRANTres back;
  ASSERT_TRUE(xdr::decode(decoder, back));
  EXPECT_EQ(back.status, CTL_DELAY);
  EXPECT_EQ(back.reason.text, "not yet");
  EXPECT_EQ(decoder.left(), 0u);
}

TEST(Verifier, ChangesWithEachThingThatMayLoseWrites) {
  const auto base = server_verifier(1, 1, 1);
  EXPECT_NE(server_verifier(2, 1, 1), base);
  EXPECT_NE(server_verifier(1, 2, 1), base);
  EXPECT_NE(server_verifier(1, 1, 2), base);
  EXPECT_NE(server_verifier(2, 0, 1), base) << "a rise of one epoch must not undo that of another";
  EXPECT_NE(volume_verifier(1, 1), volume_verifier(2, 1));
  EXPECT_NE(volume_verifier(1, 1), volume_verifier(1, 2));
}

}  // namespace
}  // namespace pnfs::control
