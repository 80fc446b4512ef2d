// What a wire type looks like, as data: the same field list that the codec is inlined from, turned into one constexpr
// table per type. Trace, JSON, fault rules and fuzzers walk it with an untyped pointer and never see a concrete type.
#pragma once

#include "common/xdr/codec.hpp"

namespace pnfs::xdr {

enum class Kind : uint8_t {
  u32,
  i32,
  u64,
  i64,
  boolean,
  enumeration,
  fixed_opaque,
  opaque,
  string,
  array,
  list,
  optional,
  structure,
  union_,
  custom,
};

struct TypeInfo;

struct FieldInfo {
  std::string_view name;
  const TypeInfo* type;     // nullptr: an arm that carries nothing
  void* (*locate)(void*);   // from the struct to the field
  bool is_default = false;  // unions: the arm for every other discriminant
  int64_t value = 0;        // unions: the discriminant of this arm
};

struct Sequence {
  void* first;
  size_t count;
};

struct TypeInfo {
  Kind kind;
  std::string_view name;
  size_t bytes;                              // of the C++ object
  uint32_t max = kNoLimit;                   // variable-length kinds; the length of fixed_opaque
  const TypeInfo* element = nullptr;         // array, list, optional
  std::span<const FieldInfo> fields{};       // structure: in wire order; union: [0] the discriminant, then the arms
  std::span<const Enumerator> names{};       // enumeration; custom: names of bits where it is a bit set
  Sequence (*items)(const void*) = nullptr;  // array, list, optional; custom: its 32-bit words
  // array, list, optional; custom: make room for `count` value-initialised items, the common ones kept.
  bool (*resize)(void*, size_t count, Arena&) = nullptr;
  void (*encode)(Encoder&, const void*) = nullptr;
  bool (*decode)(Decoder&, void*) = nullptr;
};

template <class T>
constexpr TypeInfo make_type_info();

// The one descriptor of T.
template <class T>
inline constexpr TypeInfo type_info = make_type_info<T>();

namespace detail {

template <class T>
void encode_any(Encoder& e, const void* value) {
  xdr::encode(e, *static_cast<const T*>(value));
}
template <class T>
bool decode_any(Decoder& d, void* value) {
  return xdr::decode(d, *static_cast<T*>(value));
}

template <class S, auto Pointer>
constexpr FieldInfo field_info(std::string_view name) {
  if constexpr (std::is_null_pointer_v<std::remove_cv_t<decltype(Pointer)>>) {
    return {name, nullptr, nullptr};
  } else {
    using F = std::remove_cvref_t<decltype(std::declval<S>().*Pointer)>;
    return {name, &type_info<F>, [](void* s) -> void* { return &(static_cast<S*>(s)->*Pointer); }};
  }
}

template <class S>
struct Fields {
  static constexpr auto table = xdr::apply(
      [](auto... m) { return std::array<FieldInfo, sizeof...(m)>{field_info<S, decltype(m)::pointer>(m.name)...}; },
      S::xdr_members());
};

template <class S, class A>
constexpr FieldInfo arm_info(A arm) {
  FieldInfo info = field_info<S, A::pointer>(arm.name);
  info.is_default = A::is_default;
  if constexpr (!A::is_default) info.value = static_cast<int64_t>(A::value);
  return info;
}

template <class U>
struct Arms {
  static constexpr auto table = xdr::apply(
      [](auto... a) {
        constexpr auto discriminant = U::xdr_discriminant();
        return std::array<FieldInfo, sizeof...(a) + 1>{
            field_info<U, decltype(discriminant)::pointer>(discriminant.name), arm_info<U>(a)...};
      },
      U::xdr_arms());
};

template <class V>
bool resize_items(void* value, size_t count, Arena& arena) {
  auto& v = *static_cast<V*>(value);
  auto items = arena.make_array<typename V::Element>(count);
  for (size_t i = 0; i < count && i < v.items.size(); ++i) items[i] = v.items[i];
  v.items = items;
  return true;
}

template <class T>
inline constexpr bool is_array = false;
template <class T, uint32_t M>
inline constexpr bool is_array<Array<T, M>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<List<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<Optional<T>> = true;
template <class T>
inline constexpr bool is_opaque = false;
template <uint32_t M>
inline constexpr bool is_opaque<Opaque<M>> = true;
template <class T>
inline constexpr bool is_string = false;
template <uint32_t M>
inline constexpr bool is_string<String<M>> = true;
template <class T>
inline constexpr bool is_fixed = false;
template <size_t N>
inline constexpr bool is_fixed<FixedOpaque<N>> = true;

}  // namespace detail

template <class T>
constexpr TypeInfo make_type_info() {
  TypeInfo info{.kind = Kind::u32, .name = "", .bytes = sizeof(T)};
  info.encode = &detail::encode_any<T>;
  info.decode = &detail::decode_any<T>;
  if constexpr (Custom<T>) {
    info.kind = Kind::custom;
    info.name = T::xdr_name();
    T::describe(info);
  } else if constexpr (Struct<T>) {
    info.kind = Kind::structure;
    info.name = T::xdr_name();
    info.fields = detail::Fields<T>::table;
  } else if constexpr (Union<T>) {
    info.kind = Kind::union_;
    info.name = T::xdr_name();
    info.fields = detail::Arms<T>::table;
  } else if constexpr (std::is_same_v<T, bool>) {
    info.kind = Kind::boolean;
    info.name = "bool";
  } else if constexpr (std::is_enum_v<T>) {
    info.kind = Kind::enumeration;
    info.name = xdr_enum_name(static_cast<T*>(nullptr));
    info.names = enumerators<T>();
  } else if constexpr (std::is_integral_v<T>) {
    info.kind =
        sizeof(T) == 4 ? (std::is_signed_v<T> ? Kind::i32 : Kind::u32) : (std::is_signed_v<T> ? Kind::i64 : Kind::u64);
    info.name = sizeof(T) == 4 ? (std::is_signed_v<T> ? "int32_t" : "uint32_t")
                               : (std::is_signed_v<T> ? "int64_t" : "uint64_t");
  } else if constexpr (detail::is_fixed<T>) {
    info.kind = Kind::fixed_opaque;
    info.name = "opaque";
    info.max = static_cast<uint32_t>(T::length);
  } else if constexpr (detail::is_opaque<T>) {
    info.kind = Kind::opaque;
    info.name = "opaque";
    info.max = T::max;
  } else if constexpr (detail::is_string<T>) {
    info.kind = Kind::string;
    info.name = "string";
    info.max = T::max;
  } else if constexpr (detail::is_optional<T>) {
    info.kind = Kind::optional;
    info.name = "optional";
    info.element = &type_info<typename T::Element>;
    info.items = [](const void* value) {
      auto* v = static_cast<const T*>(value)->value;
      return Sequence{v, v != nullptr ? size_t{1} : size_t{0}};
    };
    info.resize = [](void* value, size_t count, Arena& arena) {
      auto& v = *static_cast<T*>(value);
      if (count > 1) return false;
      if (count == 0) v.value = nullptr;
      if (count == 1 && v.value == nullptr) v.value = arena.make<typename T::Element>();
      return true;
    };
  } else {
    static_assert(detail::is_array<T> || detail::is_list<T>, "not a wire type");
    info.kind = detail::is_array<T> ? Kind::array : Kind::list;
    info.name = detail::is_array<T> ? "array" : "list";
    if constexpr (detail::is_array<T>) info.max = T::max;
    info.element = &type_info<typename T::Element>;
    info.items = [](const void* value) {
      const auto& v = *static_cast<const T*>(value);
      return Sequence{v.items.data(), v.items.size()};
    };
    info.resize = &detail::resize_items<T>;
  }
  return info;
}

}  // namespace pnfs::xdr
