// encode(Encoder&, value) and decode(Decoder&, value) for every wire type, inlined from the one field list.
#pragma once

#include <type_traits>

#include "common/xdr/decoder.hpp"
#include "common/xdr/encoder.hpp"
#include "common/xdr/types.hpp"

namespace pnfs::xdr {

template <class T>
concept Struct = requires {
  T::xdr_members();
};
template <class T>
concept Union = requires {
  T::xdr_arms();
};
// A type with an encoding of its own (bitmap4): members encode_to(Encoder&) const, decode_from(Decoder&).
template <class T>
concept Custom = requires(T value, const T constant, Encoder& e, Decoder& d) {
  constant.encode_to(e);
  { value.decode_from(d) } -> std::same_as<bool>;
};

template <class T>
struct Traits;  // the rest: encode, decode, and the fewest bytes a value takes on the wire

template <class T>
void encode(Encoder& e, const T& value);
template <class T>
bool decode(Decoder& d, T& value);

// The fewest bytes one T takes: what an array count is checked against before memory is set aside. Zero-size types
// (empty structs) count as 4 so that the check means something.
template <class T>
constexpr size_t min_bytes() {
  if constexpr (Struct<T>) {
    return xdr::apply(
        [](auto... m) {
          size_t sum = 0;
          ((sum += min_bytes<std::remove_cvref_t<decltype(std::declval<T>().*(decltype(m)::pointer))>>()), ...);
          return sum == 0 ? size_t{4} : sum;
        },
        T::xdr_members());
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    return 8;
  } else if constexpr (requires { T::length; }) {
    return (T::length + 3) / 4 * 4;
  } else {
    return 4;
  }
}

template <class T>
void encode(Encoder& e, const T& value) {
  if constexpr (Custom<T>) {
    value.encode_to(e);
  } else if constexpr (Struct<T>) {
    xdr::apply([&](auto... m) { (encode(e, value.*(decltype(m)::pointer)), ...); }, T::xdr_members());
  } else if constexpr (Union<T>) {
    const auto& discriminant = value.*(decltype(T::xdr_discriminant())::pointer);
    encode(e, discriminant);
    bool done = false;
    auto arm = [&](auto a) {
      using A = decltype(a);
      if constexpr (A::is_default) {
        if (done) return;
      } else {
        if (done || discriminant != static_cast<std::remove_cvref_t<decltype(discriminant)>>(A::value)) return;
      }
      done = true;
      if constexpr (!std::is_null_pointer_v<std::remove_cv_t<decltype(A::pointer)>>) encode(e, value.*(A::pointer));
    };
    xdr::apply([&](auto... a) { (arm(a), ...); }, T::xdr_arms());
  } else if constexpr (std::is_same_v<T, bool>) {
    e.u32(value ? 1 : 0);
  } else if constexpr (std::is_enum_v<T>) {
    e.u32(static_cast<uint32_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "XDR has 32- and 64-bit integers");
    if constexpr (sizeof(T) == 4) {
      e.u32(static_cast<uint32_t>(value));
    } else {
      e.u64(static_cast<uint64_t>(value));
    }
  } else {
    Traits<T>::encode(e, value);
  }
}

template <class T>
bool decode(Decoder& d, T& value) {
  if constexpr (Custom<T>) {
    return value.decode_from(d);
  } else if constexpr (Struct<T>) {
    return xdr::apply([&](auto... m) { return (decode(d, value.*(decltype(m)::pointer)) && ...); }, T::xdr_members());
  } else if constexpr (Union<T>) {
    auto& discriminant = value.*(decltype(T::xdr_discriminant())::pointer);
    if (!decode(d, discriminant)) return false;
    bool done = false, good = true;
    auto arm = [&](auto a) {
      using A = decltype(a);
      if constexpr (A::is_default) {
        if (done) return;
      } else {
        if (done || discriminant != static_cast<std::remove_cvref_t<decltype(discriminant)>>(A::value)) return;
      }
      done = true;
      if constexpr (!std::is_null_pointer_v<std::remove_cv_t<decltype(A::pointer)>>)
        good = decode(d, value.*(A::pointer));
    };
    xdr::apply([&](auto... a) { (arm(a), ...); }, T::xdr_arms());
    return done ? good : d.fail("union has no arm for this discriminant");
  } else if constexpr (std::is_same_v<T, bool>) {
    uint32_t word = 0;
    if (!d.u32(word)) return false;
    if (word > 1) return d.fail("boolean is neither 0 nor 1");
    value = word == 1;
    return true;
  } else if constexpr (std::is_enum_v<T> || (std::is_integral_v<T> && sizeof(T) == 4)) {
    uint32_t word = 0;
    if (!d.u32(word)) return false;
    value = static_cast<T>(word);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    uint64_t word = 0;
    if (!d.u64(word)) return false;
    value = static_cast<T>(word);
    return true;
  } else {
    return Traits<T>::decode(d, value);
  }
}

template <uint32_t Max>
struct Traits<Opaque<Max>> {
  static void encode(Encoder& e, const Opaque<Max>& value) { e.variable(value.bytes); }
  static bool decode(Decoder& d, Opaque<Max>& value) { return d.variable(Max, value.bytes); }
};

template <uint32_t Max>
struct Traits<String<Max>> {
  static void encode(Encoder& e, const String<Max>& value) {
    e.variable(std::as_bytes(std::span(value.text.data(), value.text.size())));
  }
  static bool decode(Decoder& d, String<Max>& value) {
    std::span<const std::byte> bytes;
    if (!d.variable(Max, bytes)) return false;
    value.text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return true;
  }
};

template <size_t N>
struct Traits<FixedOpaque<N>> {
  static void encode(Encoder& e, const FixedOpaque<N>& value) { e.fixed(value.bytes); }
  static bool decode(Decoder& d, FixedOpaque<N>& value) {
    std::span<const std::byte> bytes;
    if (!d.fixed(N, bytes)) return false;
    std::memcpy(value.bytes.data(), bytes.data(), N);
    return true;
  }
};

template <class T, uint32_t Max>
struct Traits<Array<T, Max>> {
  static void encode(Encoder& e, const Array<T, Max>& value) {
    e.u32(static_cast<uint32_t>(value.size()));
    for (const T& item : value.items) xdr::encode(e, item);
  }
  static bool decode(Decoder& d, Array<T, Max>& value) {
    uint32_t count = 0;
    if (!d.count(Max, min_bytes<T>(), count)) return false;
    value.items = d.arena().template make_array<T>(count);
    for (T& item : value.items)
      if (!xdr::decode(d, item)) return false;
    return true;
  }
};

template <class T>
struct Traits<Optional<T>> {
  static void encode(Encoder& e, const Optional<T>& value) {
    e.u32(value ? 1 : 0);
    if (value) xdr::encode(e, *value);
  }
  static bool decode(Decoder& d, Optional<T>& value) {
    bool present = false;
    value.value = nullptr;
    if (!xdr::decode(d, present)) return false;
    if (!present) return true;
    value.value = d.arena().template make<T>();
    return xdr::decode(d, *value.value);
  }
};

template <class T>
struct Traits<List<T>> {
  static void encode(Encoder& e, const List<T>& value) {
    for (const T& item : value.items) {
      e.u32(1);
      xdr::encode(e, item);
    }
    e.u32(0);
  }
  static bool decode(Decoder& d, List<T>& value) {
    std::span<T> room;  // grows by doubling in the arena; the message's length bounds it
    size_t used = 0;
    for (;;) {
      bool more = false;
      if (!xdr::decode(d, more)) return false;
      if (!more) break;
      if (used == room.size()) {
        auto larger = d.arena().template make_array<T>(room.empty() ? 8 : room.size() * 2);
        for (size_t i = 0; i < used; ++i) larger[i] = room[i];
        room = larger;
      }
      if (!xdr::decode(d, room[used])) return false;
      ++used;
    }
    value.items = room.first(used);
    return true;
  }
};

}  // namespace pnfs::xdr
