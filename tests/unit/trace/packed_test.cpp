#include "common/trace/packed.hpp"

#include <gtest/gtest.h>

#include "common/trace/json_line.hpp"

namespace pnfs::trace {
namespace {

struct Inner {
  xdr::String<8> name;
  xdr::Array<uint64_t> numbers;
  PNFS_XDR(Inner, name, numbers)
};
struct Args {
  uint32_t count = 0;
  xdr::Opaque<> data;
  Inner inner;
  PNFS_XDR(Args, count, data, inner)
};

std::string json(const Event& event) {
  std::string line;
  append_json_line(line, event);
  return line;
}

std::string through_a_batch(const Event& event) {
  Batch batch;
  batch.add(event, event.ts);
  Batch::Reader reader(batch);
  Event back;
  if (!reader.next(back)) return "nothing";
  const std::string line = json(back);
  return reader.next(back) ? "more than one" : line;
}

// Every field, so that one that is added is packed as well.
TEST(TracePackedTest, EveryFieldComesBack) {
  std::vector<std::string> texts(64);
  Event e;
  e.kind = Kind::control;
  e.ts = {1'400'000'000, 999'999'999};
  uint64_t n = 1;
  each_field(e, [&](std::string_view name, auto& field) {
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string_view>) {
      field = texts[n] = std::string(name) + " \"\xff";
    } else {
      field = static_cast<typename std::decay_t<decltype(field)>::value_type>(n);
    }
    ++n;
  });
  e.offset = 0xffff'ffff'ffff'ffff;
  EXPECT_EQ(through_a_batch(e), json(e));
}

TEST(TracePackedTest, NothingStaysNothing) {
  EXPECT_EQ(through_a_batch(Event{}), json(Event{}));
}

TEST(TracePackedTest, ValuesReadTheSameAsTheirText) {
  std::array<std::byte, 40> bytes{std::byte{0xab}};
  std::array<uint64_t, 3> numbers{1, 2, 0xffff'ffff'ffff'ffff};
  Args args{7, {bytes}, {{"a\"b"}, {numbers}}};
  Event e;
  e.op = "OP";
  e.args_of = e.res_of = xdr::FieldView::of(args);
  EXPECT_EQ(through_a_batch(e), json(e));
  const auto back = parse_json_line(through_a_batch(e));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->args, e.args_of.to_line());
  EXPECT_EQ(back->res, e.args_of.to_line());
  EXPECT_NE(back->args.find("count=7"), std::string::npos);
}

TEST(TracePackedTest, LargeValuesAreText) {
  std::vector<std::byte> bytes(1 << 20, std::byte{0x5a});
  Args args{1, {bytes}, {}};
  Event e;
  e.args_of = xdr::FieldView::of(args);
  Batch batch;
  batch.add(e, e.ts);
  EXPECT_LT(batch.bytes(), 1000u);
  EXPECT_EQ(through_a_batch(e), json(e));
}

// A server made what the protocol does not allow.
TEST(TracePackedTest, WhatCannotBeDecodedIsShownAsItWas) {
  Args args{1, {}, {{"longer than eight"}, {}}};
  Event e;
  e.args_of = xdr::FieldView::of(args);
  const auto back = parse_json_line(through_a_batch(e));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->args.starts_with("undecodable 00000001")) << back->args;
}

TEST(TracePackedTest, ManyInOrder) {
  Batch batch;
  std::string expected, got;
  Args args;
  for (uint32_t i = 0; i < 1000; ++i) {
    const std::string path(i % 300, 'p');
    Event e;
    e.xid = i;
    e.path = path;
    args.count = i;
    if (i % 3 != 0) e.args_of = xdr::FieldView::of(args);
    batch.add(e, {i, i});
    e.ts = {i, i};
    append_json_line(expected, e);
  }
  Batch::Reader reader(batch);
  for (Event e; reader.next(e);) append_json_line(got, e);
  EXPECT_EQ(got, expected);
  batch.clear();
  EXPECT_TRUE(batch.empty());
}

}  // namespace
}  // namespace pnfs::trace
