#include "common/xdr/field_view.hpp"

#include <gtest/gtest.h>

#include "common/xdr/field_path.hpp"
#include "common/xdr/json.hpp"

namespace pnfs::xdr {
namespace {

PNFS_XDR_ENUM(mode9, (MODE9_READ, 1), (MODE9_RW, 2), (MODE9_NO_RW, 3))

struct part9 {
  uint64_t offset = 0;
  mode9 mode = MODE9_READ;
  PNFS_XDR(part9, offset, mode)
};
struct ok9 {
  bool last = false;
  Array<part9, 4> parts;
  Opaque<> body;
  String<8> name;
  FixedOpaque<2> pair;
  PNFS_XDR(ok9, last, parts, body, name, pair)
};
struct res9 {
  mode9 status = MODE9_READ;
  ok9 resok;
  int64_t wait = 0;
  PNFS_XDR_UNION(res9, status, PNFS_ARM(MODE9_READ, resok), PNFS_ARM(MODE9_RW, wait), PNFS_DEFAULT_VOID())
};

struct FieldViewTest : ::testing::Test {
  Arena arena;
  res9 res;
  FieldView view = FieldView::of(res);
  void SetUp() override {
    res.resok.parts.items = arena.make_array<part9>(2);
    res.resok.parts[1] = {7, MODE9_RW};
  }
  std::string why(const Result<void>& r) { return r ? "" : r.error().reason; }
  std::string why(const Result<FieldView>& r) { return r ? "" : r.error().reason; }
};

TEST_F(FieldViewTest, FindsByWholeAndByShortPath) {
  EXPECT_EQ(view.at("resok.parts[1].offset")->as_unsigned(), 7u);
  EXPECT_EQ(view.at("parts[1].mode")->as_integer(), MODE9_RW);
  EXPECT_EQ(view.at("parts.count")->as_integer(), 2);
  EXPECT_EQ(view.at("status")->as_integer(), MODE9_READ);
  EXPECT_EQ(view.at("")->value(), &res);
}

TEST_F(FieldViewTest, SaysWhatIsWrongWithAPath) {
  EXPECT_NE(why(view.at("nothing")).find("res9 has no field \"nothing\"; its fields: status, resok, wait"),
            std::string::npos);
  EXPECT_NE(why(view.at("parts[2]")).find("has 2 items"), std::string::npos);
  EXPECT_NE(why(view.at("wait")).find("not chosen"), std::string::npos);
  EXPECT_FALSE(view.at("parts["));
  EXPECT_FALSE(view.at("parts[x]"));
  EXPECT_FALSE(view.at("resok."));
  EXPECT_FALSE(view.at("status[0]"));
  EXPECT_FALSE(view.at("parts.count.x"));
  EXPECT_FALSE(view.at(".status"));
}

TEST_F(FieldViewTest, SetsScalarsByNameNumberAndHex) {
  const FieldView mode = *view.at("parts[0].mode");
  EXPECT_TRUE(mode.set("MODE9_RW", arena));
  EXPECT_EQ(res.resok.parts[0].mode, MODE9_RW);
  EXPECT_TRUE(mode.set("read", arena));
  EXPECT_EQ(res.resok.parts[0].mode, MODE9_READ);
  EXPECT_TRUE(mode.set("rw", arena)) << "the shorter of MODE9_RW and MODE9_NO_RW";
  EXPECT_EQ(res.resok.parts[0].mode, MODE9_RW);
  EXPECT_TRUE(mode.set("99", arena));
  EXPECT_EQ(res.resok.parts[0].mode, 99u);
  EXPECT_NE(why(mode.set("WRITE", arena)).find("MODE9_READ, MODE9_RW"), std::string::npos);
  EXPECT_FALSE(mode.set("0x100000000", arena));
  EXPECT_TRUE(view.at("parts[0].offset")->set("0xffffffffffffffff", arena));
  EXPECT_EQ(res.resok.parts[0].offset, 0xffff'ffff'ffff'ffffu);
  EXPECT_TRUE(view.at("last")->set("true", arena));
  EXPECT_TRUE(res.resok.last);
  EXPECT_FALSE(view.at("last")->set("2", arena));
}

TEST_F(FieldViewTest, SetsBytesAndResizes) {
  EXPECT_TRUE(view.at("body")->set("hex:00ff10", arena));
  EXPECT_EQ(res.resok.body.size(), 3u);
  EXPECT_FALSE(view.at("body")->set("hex:0", arena));
  EXPECT_FALSE(view.at("body")->set("hex:0g", arena));
  EXPECT_TRUE(view.at("name")->set("longer than its limit", arena)) << "faults may break limits";
  EXPECT_EQ(res.resok.name.text, "longer than its limit");
  EXPECT_FALSE(view.at("pair")->set("abc", arena));
  EXPECT_TRUE(view.at("pair")->set("ab", arena));
  EXPECT_TRUE(view.at("parts")->resize(5, arena));
  EXPECT_EQ(res.resok.parts[1].offset, 7u);
  EXPECT_TRUE(view.at("parts.count")->set("0", arena));
  EXPECT_TRUE(res.resok.parts.empty());
  EXPECT_FALSE(view.at("parts")->resize(FieldView::kMaxResize + 1, arena));
  EXPECT_FALSE(view.at("last")->resize(1, arena));
}

TEST_F(FieldViewTest, UnionsFollowTheirDiscriminant) {
  EXPECT_TRUE(view.at("status")->set("RW", arena));
  EXPECT_TRUE(view.at("wait")->set("-3", arena));
  EXPECT_EQ(res.wait, -3);
  EXPECT_EQ(view.to_line(), "{status=MODE9_RW wait=-3}");
  EXPECT_TRUE(view.at("status")->set("99", arena));
  EXPECT_EQ(view.to_line(), "{status=99}");
}

TEST_F(FieldViewTest, PathsAreCheckedWithoutAValue) {
  const TypeInfo& type = type_info<res9>;
  bool count = false;
  EXPECT_EQ((*resolve_path(type, "parts[9].mode"))->name, "mode9");
  EXPECT_TRUE(resolve_path(type, "parts.count", &count));
  EXPECT_TRUE(count);
  EXPECT_TRUE(resolve_path(type, "wait"));
  EXPECT_FALSE(resolve_path(type, "parts[9].nothing"));
  EXPECT_EQ(all_paths(type),
            (std::vector<std::string>{"status", "resok.last", "resok.parts.count", "resok.parts[].offset",
                                      "resok.parts[].mode", "resok.body", "resok.name", "resok.pair", "wait"}));
}

TEST_F(FieldViewTest, PrintsLineAndJson) {
  std::vector<std::byte> data(1 << 20, std::byte{0xab});
  res.resok.body.bytes = data;
  res.resok.name.text = "a\"\n";
  const std::string line = view.to_line();
  EXPECT_NE(line.find("parts=[{offset=0 mode=MODE9_READ} {offset=7 mode=MODE9_RW}]"), std::string::npos) << line;
  EXPECT_NE(line.find("body=abababababababababababababababab..(1048576)"), std::string::npos) << line;
  EXPECT_NE(line.find("name=\"a\\\"\\x0a\""), std::string::npos) << line;
  EXPECT_LT(view.to_line(50).size(), 60u);
  const auto json = to_json(view);
  EXPECT_EQ(json["status"], "MODE9_READ");
  EXPECT_EQ(json["resok"]["parts"][1]["offset"], 7);
  EXPECT_EQ(json["resok"]["body"]["bytes"], 1 << 20);
  EXPECT_EQ(json["resok"]["last"], false);
}

}  // namespace
}  // namespace pnfs::xdr
