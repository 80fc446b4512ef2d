#include "common/xdr/random_value.hpp"

#include <algorithm>

namespace pnfs::xdr {

namespace {

struct Filler {
  Random& random;
  Arena& arena;
  size_t max_items;
  size_t max_bytes;

  size_t length(uint32_t limit, size_t ours) { return random.below(std::min<uint64_t>(limit, ours) + 1); }

  std::span<std::byte> bytes(size_t count) {
    auto out = arena.make_array<std::byte>(count);
    random.fill(out);
    return out;
  }

  uint64_t enumerator(const TypeInfo& type) {
    return static_cast<uint64_t>(type.names[random.below(type.names.size())].value);
  }

  void fill_union(const FieldView& view) {
    const TypeInfo& type = view.type();
    const auto arms = type.fields.subspan(1);
    const FieldInfo& arm = arms[random.below(arms.size())];
    const FieldView discriminant = view.field(0);
    if (!arm.is_default) {
      (void)discriminant.set_integer(static_cast<uint64_t>(arm.value));
    } else if (discriminant.type().kind == Kind::enumeration) {
      (void)discriminant.set_integer(enumerator(discriminant.type()));
    } else {
      (void)discriminant.set_integer(random.next() & 0xffffffff);
    }
    if (view.field_count() == 2) fill(view.field(1));
  }

  void fill(const FieldView& view) {
    const TypeInfo& type = view.type();
    switch (type.kind) {
      case Kind::u32:
        (void)view.set_integer(random.next() & 0xffffffff);
        return;
      case Kind::i32:
        (void)view.set_integer(static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(random.next()))));
        return;
      case Kind::u64:
      case Kind::i64:
        (void)view.set_integer(random.next());
        return;
      case Kind::boolean:
        (void)view.set_integer(random.below(2));
        return;
      case Kind::enumeration:
        (void)view.set_integer(random.chance(1, 8) ? random.next() & 0xffffffff : enumerator(type));
        return;
      case Kind::fixed_opaque:
        random.fill({static_cast<std::byte*>(view.value()), type.max});
        return;
      case Kind::opaque:
        *static_cast<std::span<const std::byte>*>(view.value()) = bytes(length(type.max, max_bytes));
        return;
      case Kind::string: {
        const auto text = bytes(length(type.max, max_bytes));
        *static_cast<std::string_view*>(view.value()) = {reinterpret_cast<const char*>(text.data()), text.size()};
        return;
      }
      case Kind::custom:
        (void)type.resize(view.value(), random.below(max_items + 1), arena);
        for (size_t i = 0; i < view.count(); ++i) fill(view.item(i));
        return;
      case Kind::array:
      case Kind::list:
      case Kind::optional:
        (void)view.resize(type.kind == Kind::optional ? random.below(2) : length(type.max, max_items), arena);
        for (size_t i = 0; i < view.count(); ++i) fill(view.item(i));
        return;
      case Kind::structure:
        for (size_t i = 0; i < view.field_count(); ++i) fill(view.field(i));
        return;
      case Kind::union_:
        fill_union(view);
        return;
    }
  }
};

}  // namespace

void fill_random(const FieldView& view, Random& random, Arena& arena, size_t max_items, size_t max_bytes) {
  Filler{random, arena, max_items, max_bytes}.fill(view);
}

}  // namespace pnfs::xdr
