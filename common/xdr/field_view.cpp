#include "common/xdr/field_view.hpp"

#include "common/xdr/field_path.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::xdr {

namespace {

bool is_sequence(const TypeInfo& type) {
  return type.items != nullptr && type.kind != Kind::custom;
}

template <class T>
T load(const void* value) {
  T out;
  std::memcpy(&out, value, sizeof(T));
  return out;
}

}  // namespace

size_t FieldView::count() const {
  return type_->items != nullptr ? type_->items(value_).count : 0;
}

FieldView FieldView::item(size_t index) const {
  const Sequence items = type_->items(value_);
  const TypeInfo& element = type_->element != nullptr ? *type_->element : type_info<uint32_t>;
  return {element, static_cast<std::byte*>(items.first) + index * element.bytes};
}

const FieldInfo* FieldView::arm() const {
  const FieldInfo& discriminant = type_->fields[0];
  const auto number = FieldView(*discriminant.type, discriminant.locate(value_)).as_integer();
  const FieldInfo* otherwise = nullptr;
  for (const FieldInfo& one : type_->fields.subspan(1)) {
    if (one.is_default) {
      otherwise = &one;
    } else if (number && one.value == *number) {
      return one.type != nullptr ? &one : nullptr;
    }
  }
  return otherwise != nullptr && otherwise->type != nullptr ? otherwise : nullptr;
}

size_t FieldView::field_count() const {
  if (type_->kind == Kind::structure) return type_->fields.size();
  if (type_->kind == Kind::union_) return arm() != nullptr ? 2 : 1;
  return 0;
}

FieldView FieldView::field(size_t index) const {
  const FieldInfo& info =
      type_->kind == Kind::union_ && index == 1 ? *arm() : type_->fields[index];
  return {*info.type, info.locate(value_)};
}

std::string_view FieldView::field_name(size_t index) const {
  if (type_->kind == Kind::union_ && index == 1) return arm()->name;
  return type_->fields[index].name;
}

std::optional<int64_t> FieldView::as_integer() const {
  if (counts_) return static_cast<int64_t>(count());
  switch (type_->kind) {
    case Kind::boolean:
      return *static_cast<const bool*>(value_) ? 1 : 0;
    case Kind::u32:
    case Kind::enumeration:
      return load<uint32_t>(value_);
    case Kind::i32:
      return load<int32_t>(value_);
    case Kind::u64:
      return static_cast<int64_t>(load<uint64_t>(value_));
    case Kind::i64:
      return load<int64_t>(value_);
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> FieldView::as_unsigned() const {
  const auto value = as_integer();
  if (!value) return std::nullopt;
  return static_cast<uint64_t>(*value);
}

std::optional<std::span<const std::byte>> FieldView::as_bytes() const {
  if (counts_) return std::nullopt;
  switch (type_->kind) {
    case Kind::fixed_opaque:
      return std::span(static_cast<const std::byte*>(value_), type_->max);
    case Kind::opaque:  // an Opaque<N> begins with its span, a String<N> with its view
      return *static_cast<const std::span<const std::byte>*>(value_);
    case Kind::string: {
      const std::string_view text = *static_cast<const std::string_view*>(value_);
      return std::as_bytes(std::span(text.data(), text.size()));
    }
    default:
      return std::nullopt;
  }
}

Result<void> FieldView::set_integer(uint64_t value) const {
  if (counts_) return error(Errc::unsupported, "a count is changed by resizing");
  switch (type_->kind) {
    case Kind::boolean:
      if (value > 1) return error(Errc::invalid, "{} is not a boolean", value);
      *static_cast<bool*>(value_) = value == 1;
      return {};
    case Kind::u32:
    case Kind::enumeration:
    case Kind::i32: {
      const auto narrow = static_cast<uint32_t>(value);
      const bool fits =
          type_->kind == Kind::i32 ? static_cast<int64_t>(value) == static_cast<int32_t>(narrow) : value == narrow;
      if (!fits) return error(Errc::invalid, "{} does not fit into 32 bits", value);
      std::memcpy(value_, &narrow, 4);
      return {};
    }
    case Kind::u64:
    case Kind::i64:
      std::memcpy(value_, &value, 8);
      return {};
    default:
      return error(Errc::invalid, "a field of type {} does not hold a number", type_->name);
  }
}

Result<void> FieldView::resize(size_t count, Arena& arena) const {
  if (!is_sequence(*type_)) return error(Errc::invalid, "a field of type {} has no count", type_->name);
  if (count > kMaxResize) return error(Errc::too_large, "{} items are more than {}", count, kMaxResize);
  if (!type_->resize(value_, count, arena))
    return error(Errc::invalid, "a field of type {} cannot hold {} items", type_->name, count);
  return {};
}

Result<void> FieldView::set(std::string_view text, Arena& arena) const {
  if (counts_) {
    const auto number = parse_number(text);
    if (!number) return error(Errc::invalid, "\"{}\" is not a count", text);
    return resize(*number, arena);
  }
  switch (type_->kind) {
    case Kind::opaque:
    case Kind::string:
    case Kind::fixed_opaque: {
      auto bytes = parse_bytes(text, arena);
      if (!bytes) return bytes.error();
      if (type_->kind == Kind::opaque) {
        *static_cast<std::span<const std::byte>*>(value_) = *bytes;
      } else if (type_->kind == Kind::string) {
        *static_cast<std::string_view*>(value_) = {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
      } else {
        if (bytes->size() != type_->max)
          return error(Errc::invalid, "this field has {} bytes, \"{}\" has {}", type_->max, text, bytes->size());
        std::memcpy(value_, bytes->data(), bytes->size());
      }
      return {};
    }
    case Kind::custom: {
      const auto bits = parse_bits(*type_, text);
      if (!bits) return bits.error();
      if (!type_->resize(value_, bits->size(), arena)) return error(Errc::too_large, "\"{}\" has too many bits", text);
      std::memcpy(type_->items(value_).first, bits->data(), bits->size() * sizeof(uint32_t));
      return {};
    }
    default: {
      const auto number = parse_scalar(*type_, text);
      if (!number) return number.error();
      return set_integer(*number);
    }
  }
}

}  // namespace pnfs::xdr
