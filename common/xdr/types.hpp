// The building blocks of wire types (RFC 4506) and the macros with which a struct lists its fields once. From that one
// list come the inlined encoder and decoder (codec.hpp) and the descriptor table (descriptor.hpp) that printer, JSON,
// fault rules and fuzzers walk at run time.
//
// Decoded values are views: opaque bytes and strings point into the received record, arrays live in the request's
// arena. So every wire type is trivially destructible and cheap to copy, and must not outlive its request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pnfs::xdr {

// No limit of the protocol's own; the decoder still never believes a length beyond the bytes that are there.
inline constexpr uint32_t kNoLimit = 0xffffffff;

template <uint32_t Max = kNoLimit>
struct Opaque {
  static constexpr uint32_t max = Max;
  std::span<const std::byte> bytes;
  size_t size() const { return bytes.size(); }
};

template <uint32_t Max = kNoLimit>
struct String {
  static constexpr uint32_t max = Max;
  std::string_view text;
  size_t size() const { return text.size(); }
};

template <size_t N>
struct FixedOpaque {
  static constexpr size_t length = N;
  std::array<std::byte, N> bytes{};
  auto operator<=>(const FixedOpaque&) const = default;
};

// T name<Max>
template <class T, uint32_t Max = kNoLimit>
struct Array {
  using Element = T;
  static constexpr uint32_t max = Max;
  std::span<T> items;
  size_t size() const { return items.size(); }
  bool empty() const { return items.empty(); }
  T& operator[](size_t i) const { return items[i]; }
  auto begin() const { return items.begin(); }
  auto end() const { return items.end(); }
};

// T *name: present or not.
template <class T>
struct Optional {
  using Element = T;
  T* value = nullptr;
  explicit operator bool() const { return value != nullptr; }
  T& operator*() const { return *value; }
  T* operator->() const { return value; }
};

// A chain of `T *next`, the form READDIR's entries have on the wire, kept as an array.
template <class T>
struct List {
  using Element = T;
  std::span<T> items;
  size_t size() const { return items.size(); }
  auto begin() const { return items.begin(); }
  auto end() const { return items.end(); }
};

// One field of a struct, one arm of a union, one name of an enum.
template <auto Pointer>
struct Member {
  static constexpr auto pointer = Pointer;
  std::string_view name;
};

// Pointer is nullptr where the arm carries nothing.
template <auto Value, auto Pointer>
struct Arm {
  static constexpr auto value = Value;
  static constexpr auto pointer = Pointer;
  static constexpr bool is_default = false;
  std::string_view name;
};
template <auto Pointer>
struct DefaultArm {
  static constexpr auto pointer = Pointer;
  static constexpr bool is_default = true;
  std::string_view name;
};

// Members or arms in order. Every element has a type of its own, so they are bases of one aggregate: std::tuple would
// cost seconds of compile time for several hundred wire types.
template <class... Elements>
struct ElementList : Elements... {};

struct Start {};
template <class... Elements>
constexpr ElementList<Elements...> list_of(Start, Elements... elements) {
  return {elements...};
}

// f(element, element, ...)
template <class F, class... Elements>
constexpr decltype(auto) apply(F&& f, const ElementList<Elements...>& list) {
  return f(static_cast<const Elements&>(list)...);
}

struct Enumerator {
  std::string_view name;
  int64_t value;
};

// Specialised by PNFS_XDR_ENUM through xdr_enumerators(E*), found by argument-dependent look-up.
template <class E>
constexpr std::span<const Enumerator> enumerators() {
  return xdr_enumerators(static_cast<E*>(nullptr));
}

}  // namespace pnfs::xdr

// ---- the macros ---------------------------------------------------------------------------------------------------

#define PNFS_PARENS ()
#define PNFS_EXPAND(...) PNFS_EXPAND3(PNFS_EXPAND3(PNFS_EXPAND3(PNFS_EXPAND3(__VA_ARGS__))))
// Enums are longer than structs (nfsstat4 has over a hundred names); structs keep the cheaper expansion.
#define PNFS_EXPAND_LONG(...) PNFS_EXPAND4(PNFS_EXPAND4(PNFS_EXPAND4(PNFS_EXPAND4(__VA_ARGS__))))
#define PNFS_EXPAND4(...) PNFS_EXPAND3(PNFS_EXPAND3(PNFS_EXPAND3(PNFS_EXPAND3(__VA_ARGS__))))
#define PNFS_EXPAND3(...) PNFS_EXPAND2(PNFS_EXPAND2(PNFS_EXPAND2(PNFS_EXPAND2(__VA_ARGS__))))
#define PNFS_EXPAND2(...) PNFS_EXPAND1(PNFS_EXPAND1(PNFS_EXPAND1(PNFS_EXPAND1(__VA_ARGS__))))
#define PNFS_EXPAND1(...) __VA_ARGS__
#define PNFS_FOR_EACH(macro, type, ...) __VA_OPT__(PNFS_EXPAND(PNFS_FOR_EACH_STEP(macro, type, __VA_ARGS__)))
#define PNFS_FOR_EACH_LONG(macro, type, ...) __VA_OPT__(PNFS_EXPAND_LONG(PNFS_FOR_EACH_STEP(macro, type, __VA_ARGS__)))
#define PNFS_FOR_EACH_STEP(macro, type, first, ...) \
  macro(type, first) __VA_OPT__(PNFS_FOR_EACH_AGAIN PNFS_PARENS(macro, type, __VA_ARGS__))
#define PNFS_FOR_EACH_AGAIN() PNFS_FOR_EACH_STEP

// Inside a struct: PNFS_XDR(type, field, field, ...), in wire order. The list is a template, so that a file that only
// includes a type pays nothing for its codec.
#define PNFS_XDR(type, ...)                                                                               \
  static constexpr std::string_view xdr_name() {                                                          \
    return #type;                                                                                         \
  }                                                                                                       \
  template <class Self = type>                                                                            \
  static constexpr auto xdr_members() {                                                                   \
    return ::pnfs::xdr::list_of(::pnfs::xdr::Start {} PNFS_FOR_EACH(PNFS_XDR_MEMBER, type, __VA_ARGS__)); \
  }
#define PNFS_XDR_MEMBER(type, field)    \
  , ::pnfs::xdr::Member<&Self::field> { \
#field                              \
  }

// Inside a struct: PNFS_XDR_UNION(type, discriminant, PNFS_ARM(VALUE, field), PNFS_VOID_ARM(VALUE),
// PNFS_DEFAULT(field) or PNFS_DEFAULT_VOID()). Without a default an unknown discriminant does not decode.
#define PNFS_XDR_UNION(type, discriminant, ...)                     \
  static constexpr std::string_view xdr_name() {                    \
    return #type;                                                   \
  }                                                                 \
  template <class Self = type>                                      \
  static constexpr auto xdr_discriminant() {                        \
    return ::pnfs::xdr::Member<&Self::discriminant>{#discriminant}; \
  }                                                                 \
  template <class Self = type>                                      \
  static constexpr auto xdr_arms() {                                \
    return ::pnfs::xdr::list_of(::pnfs::xdr::Start{}, __VA_ARGS__); \
  }
#define PNFS_ARM(value, field)            \
  ::pnfs::xdr::Arm<value, &Self::field> { \
#field                                \
  }
#define PNFS_VOID_ARM(value)         \
  ::pnfs::xdr::Arm<value, nullptr> { \
    ""                               \
  }
#define PNFS_DEFAULT(field)               \
  ::pnfs::xdr::DefaultArm<&Self::field> { \
#field                                \
  }
#define PNFS_DEFAULT_VOID()          \
  ::pnfs::xdr::DefaultArm<nullptr> { \
    ""                               \
  }

// At namespace scope: PNFS_XDR_ENUM(layoutiomode4, (LAYOUTIOMODE4_READ, 1), (LAYOUTIOMODE4_RW, 2), ...)
// An unscoped enum with the RFC's names; any 32-bit value can be held, so that an invalid one reaches the operation.
#define PNFS_XDR_ENUM(type, ...)                                                       \
  enum type : uint32_t { PNFS_FOR_EACH_LONG(PNFS_XDR_ENUM_VALUE, type, __VA_ARGS__) }; \
  inline constexpr ::pnfs::xdr::Enumerator type##_enumerators[] = {                    \
      PNFS_FOR_EACH_LONG(PNFS_XDR_ENUM_NAME, type, __VA_ARGS__)};                      \
  constexpr std::span<const ::pnfs::xdr::Enumerator> xdr_enumerators(type*) {          \
    return type##_enumerators;                                                         \
  }                                                                                    \
  constexpr std::string_view xdr_enum_name(type*) {                                    \
    return #type;                                                                      \
  }
#define PNFS_XDR_ENUM_VALUE(type, pair) PNFS_XDR_ENUM_VALUE_ pair,
#define PNFS_XDR_ENUM_VALUE_(name, value) name = value
#define PNFS_XDR_ENUM_NAME(type, pair) PNFS_XDR_ENUM_NAME_ pair,
#define PNFS_XDR_ENUM_NAME_(name, value) \
  ::pnfs::xdr::Enumerator {              \
#name, value                         \
  }
