// Every operation's arguments and results, filled at random through their descriptors: what the codec writes is what a
// second encoder that knows only the descriptors writes, reads back the same, and fails at every truncation without
// reading beyond (the asan preset watches).
#include <gtest/gtest.h>

#include "common/base/random.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/ops.hpp"
#include "common/xdr/random_value.hpp"

namespace pnfs::nfs {
namespace {

using xdr::FieldView;
using xdr::Kind;

void put(std::vector<std::byte>& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

// RFC 4506, from the descriptors alone.
void reference_encode(FieldView view, std::vector<std::byte>& out) {
  const xdr::TypeInfo& type = view.type();
  switch (type.kind) {
    case Kind::u64:
    case Kind::i64:
      return put(out, *view.as_unsigned(), 8);
    case Kind::fixed_opaque:
    case Kind::opaque:
    case Kind::string: {
      const auto bytes = *view.as_bytes();
      if (type.kind != Kind::fixed_opaque) put(out, bytes.size(), 4);
      out.insert(out.end(), bytes.begin(), bytes.end());
      return out.resize((out.size() + 3) / 4 * 4);
    }
    case Kind::list:
      for (size_t i = 0; i < view.count(); ++i) {
        put(out, 1, 4);
        reference_encode(view.item(i), out);
      }
      return put(out, 0, 4);
    case Kind::array:
    case Kind::optional:
    case Kind::custom:
      put(out, view.count(), 4);
      for (size_t i = 0; i < view.count(); ++i) reference_encode(view.item(i), out);
      return;
    case Kind::structure:
    case Kind::union_:
      for (size_t i = 0; i < view.field_count(); ++i) reference_encode(view.field(i), out);
      return;
    default:
      return put(out, *view.as_unsigned(), 4);
  }
}

void check(const xdr::TypeInfo& type, uint64_t seed) {
  SCOPED_TRACE(fmt::format("{} seed {}", type.name, seed));
  Arena arena;
  SeededRandom random(seed);
  auto make = [&] {
    void* value = arena.allocate(type.bytes);
    std::memset(value, 0, type.bytes);
    return FieldView(type, value);
  };
  const FieldView value = make();
  xdr::fill_random(value, random, arena);
  xdr::Encoder e(arena);
  type.encode(e, value.value());
  const auto wire = e.flatten();
  std::vector<std::byte> reference;
  reference_encode(value, reference);
  ASSERT_EQ(wire, reference);

  xdr::Decoder d(wire, arena);
  const FieldView back = make();
  ASSERT_TRUE(type.decode(d, back.value())) << d.problem();
  EXPECT_EQ(d.left(), 0u);
  EXPECT_EQ(back.to_line(100000), value.to_line(100000));
  xdr::Encoder again(arena);
  type.encode(again, back.value());
  EXPECT_EQ(again.flatten(), wire);

  for (size_t length = 0; length < wire.size(); ++length) {
    const std::vector<std::byte> cut(wire.begin(), wire.begin() + static_cast<ptrdiff_t>(length));
    xdr::Decoder short_one(cut, arena);
    const FieldView part = make();
    ASSERT_FALSE(type.decode(short_one, part.value())) << length;
    ASSERT_FALSE(short_one.ok());
  }
  // Any word replaced: decoding may succeed or fail, but stays inside (asan) and encodes again.
  for (size_t at = 0; at + 4 <= wire.size(); at += 4) {
    std::vector<std::byte> bent = wire;
    const uint64_t word = random.next();
    std::memcpy(&bent[at], &word, 4);
    xdr::Decoder bent_one(bent, arena);
    const FieldView other = make();
    if (!type.decode(bent_one, other.value())) continue;
    xdr::Encoder bent_again(arena);
    type.encode(bent_again, other.value());
    (void)other.to_line();
  }
}

class RoundTripTest : public ::testing::TestWithParam<const OpInfo*> {};

TEST_P(RoundTripTest, ArgsAndRes) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    check(*GetParam()->args, seed);
    check(*GetParam()->res, seed);
  }
}

std::vector<const OpInfo*> pointers(std::span<const OpInfo> table) {
  std::vector<const OpInfo*> out;
  for (const OpInfo& op : table) out.push_back(&op);
  return out;
}
std::string test_name(const ::testing::TestParamInfo<const OpInfo*>& info) {
  return std::string(info.param->name);
}
INSTANTIATE_TEST_SUITE_P(Ops, RoundTripTest, ::testing::ValuesIn(pointers(operations())), test_name);
INSTANTIATE_TEST_SUITE_P(Callbacks, RoundTripTest, ::testing::ValuesIn(pointers(callbacks())), test_name);

TEST(RoundTripTest, TypesInsideOpaques) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    check(xdr::type_info<nfsv4_1_file_layout4>, seed);
    check(xdr::type_info<nfsv4_1_file_layout_ds_addr4>, seed);
    check(xdr::type_info<nfsv4_1_file_layouthint4>, seed);
    check(xdr::type_info<mdsthreshold4>, seed);
    check(xdr::type_info<layouthint4>, seed);
    check(xdr::type_info<notify_add4>, seed);
    check(xdr::type_info<notify_rename4>, seed);
    check(xdr::type_info<notify_attr4>, seed);
    check(xdr::type_info<notify_verifier4>, seed);
    check(xdr::type_info<notify_deviceid_delete4>, seed);
    check(xdr::type_info<notify_deviceid_change4>, seed);
    check(xdr::type_info<CompoundArgsHead>, seed);
    check(xdr::type_info<CompoundResHead>, seed);
    check(xdr::type_info<CbCompoundArgsHead>, seed);
  }
}

TEST(OpInfoTest, TableAndLookUpsAgree) {
  for (const auto& [table, enumeration] :
       {std::pair{operations(), std::span<const xdr::Enumerator>(nfs_opnum4_enumerators)},
        std::pair{callbacks(), std::span<const xdr::Enumerator>(nfs_cb_opnum4_enumerators)}}) {
    ASSERT_EQ(table.size(), enumeration.size());
    for (size_t i = 0; i < table.size(); ++i) {
      EXPECT_EQ(table[i].number, enumeration[i].value);
      EXPECT_EQ("OP_" + std::string(table[i].name), enumeration[i].name);
      EXPECT_TRUE(table[i].res->kind == Kind::union_ || table[i].res->kind == Kind::structure);
      EXPECT_EQ(table[i].res->fields[0].type, &xdr::type_info<nfsstat4>) << table[i].name;
    }
  }
  for (const OpInfo& op : operations()) {
    EXPECT_EQ(find_op(op.number), &op);
    EXPECT_EQ(find_op(op.name), &op);
  }
  for (const OpInfo& op : callbacks()) EXPECT_EQ(find_callback(op.number), &op);
  EXPECT_EQ(find_op("op_layoutget"), find_op(OP_LAYOUTGET));
  EXPECT_EQ(find_op(2u), nullptr);
  EXPECT_EQ(find_op(59u), nullptr);
  EXPECT_EQ(find_callback(15u), nullptr);
  EXPECT_EQ(find_op("LAYOUT"), nullptr);
  EXPECT_EQ(op_name(4242), "OP_4242");
  LAYOUTGET4res res;
  OpInfo::set_status(&res, NFS4ERR_DELAY);
  EXPECT_EQ(res.logr_status, NFS4ERR_DELAY);
  EXPECT_EQ(OpInfo::status_of(&res), NFS4ERR_DELAY);
}

}  // namespace
}  // namespace pnfs::nfs
