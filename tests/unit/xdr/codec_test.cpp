#include "common/xdr/codec.hpp"

#include <gtest/gtest.h>

#include "common/xdr/descriptor.hpp"

namespace pnfs::xdr {
namespace {

PNFS_XDR_ENUM(colour4, (RED, 1), (GREEN, 2), (BLUE, 3))

struct point4 {
  uint32_t x = 0;
  int64_t y = 0;
  PNFS_XDR(point4, x, y)
};

struct choice4 {
  colour4 colour = RED;
  point4 point;
  String<8> text;
  PNFS_XDR_UNION(choice4, colour, PNFS_ARM(RED, point), PNFS_ARM(GREEN, text), PNFS_VOID_ARM(BLUE))
};

struct message4 {
  bool flag = false;
  Opaque<16> data;
  FixedOpaque<3> fixed;
  Array<point4, 4> points;
  List<point4> chain;
  Optional<choice4> maybe;
  PNFS_XDR(message4, flag, data, fixed, points, chain, maybe)
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct CodecTest : ::testing::Test {
  Arena arena;
  message4 sample() {
    message4 m;
    m.flag = true;
    m.data = {bytes_of("hello")};
    m.fixed.bytes = {std::byte{1}, std::byte{2}, std::byte{3}};
    m.points.items = arena.make_array<point4>(2);
    m.points[1] = {7, -8};
    m.chain.items = arena.make_array<point4>(1);
    m.maybe.value = arena.make<choice4>();
    m.maybe->colour = GREEN;
    m.maybe->text = {"leaf"};
    return m;
  }
};

TEST_F(CodecTest, RoundTrip) {
  Encoder e(arena);
  encode(e, sample());
  const auto wire = e.flatten();
  EXPECT_EQ(wire.size(), e.size());
  Decoder d(wire, arena);
  message4 back;
  ASSERT_TRUE(decode(d, back)) << d.problem();
  EXPECT_EQ(d.left(), 0u);
  EXPECT_TRUE(back.flag);
  EXPECT_EQ(back.data.size(), 5u);
  EXPECT_EQ(back.points[1].y, -8);
  EXPECT_EQ(back.chain.size(), 1u);
  EXPECT_EQ(back.maybe->text.text, "leaf");
}

TEST_F(CodecTest, EveryTruncationFailsAndReadsNothingBeyond) {
  Encoder e(arena);
  encode(e, sample());
  const auto wire = e.flatten();
  for (size_t length = 0; length < wire.size(); ++length) {
    const std::vector<std::byte> cut(wire.begin(), wire.begin() + static_cast<ptrdiff_t>(length));
    Decoder d(cut, arena);
    message4 back;
    EXPECT_FALSE(decode(d, back)) << length;
    EXPECT_FALSE(d.ok());
  }
}

TEST_F(CodecTest, RejectsBadBooleanPaddingLimitAndDiscriminant) {
  auto rejects = [&](std::initializer_list<uint32_t> words, auto value) {
    Encoder e(arena);
    for (uint32_t w : words) e.u32(w);
    const auto wire = e.flatten();
    Decoder d(wire, arena);
    return !decode(d, value);
  };
  EXPECT_TRUE(rejects({2}, bool{}));
  EXPECT_FALSE(rejects({1}, bool{}));
  EXPECT_TRUE(rejects({1, 0x61000001}, Opaque<4>{}));
  EXPECT_TRUE(rejects({5, 0, 0}, Opaque<4>{}));
  EXPECT_TRUE(rejects({9}, choice4{}));
  EXPECT_FALSE(rejects({3}, choice4{}));
  EXPECT_TRUE(rejects({5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Array<point4, 4>{}));
  EXPECT_TRUE(rejects({0x40000000}, Array<point4>{}));
}

TEST_F(CodecTest, LargeDataIsReferencedNotCopied) {
  std::vector<std::byte> data(5001);
  Encoder e(arena);
  e.u32(1);
  e.variable(data);
  e.u32(2);
  const auto pieces = e.pieces();
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[1].data(), data.data());
  EXPECT_EQ(e.size(), 4u + 4 + 5001 + 3 + 4);
}

TEST_F(CodecTest, RollbackForgets) {
  Encoder e(arena);
  e.u32(1);
  const auto mark = e.mark();
  std::vector<std::byte> data(3000);
  e.variable(data);
  e.u32(9);
  e.rollback(mark);
  e.u32(2);
  const auto wire = e.flatten();
  ASSERT_EQ(wire.size(), 8u);
  EXPECT_EQ(wire[7], std::byte{2});
}

TEST_F(CodecTest, DescriptorsSeeTheSameFields) {
  constexpr const TypeInfo& info = type_info<message4>;
  ASSERT_EQ(info.fields.size(), 6u);
  EXPECT_EQ(info.fields[3].name, "points");
  EXPECT_EQ(info.fields[3].type->max, 4u);
  message4 m = sample();
  const auto points = info.fields[3].type->items(info.fields[3].locate(&m));
  EXPECT_EQ(points.count, 2u);
  const TypeInfo& choice = *info.fields[5].type->element;
  EXPECT_EQ(choice.kind, Kind::union_);
  EXPECT_EQ(choice.fields[0].type->names[1].name, "GREEN");
  EXPECT_EQ(choice.fields[2].value, GREEN);
}

}  // namespace
}  // namespace pnfs::xdr
