// A wire value seen without its type: a pointer and the descriptor that says what lies there. Trace, fault rules and
// tests read and write any field of any message through it, by the RFC's own names:
//
//   loga_iomode                     a field
//   logr_resok4.logr_layout[0]      arrays, lists and present optionals by index
//   logr_layout.count               how many there are
//   openhow.how.mode                unions: an arm's name, which must be the chosen one
//
// A path may leave out names on the way: "logr_layout[0]" is found in LAYOUTGET4res when the status is NFS4_OK.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/arena.hpp"
#include "common/base/result.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::xdr {

// Does not own; lives as long as the value it looks at. Copy freely.
class FieldView {
 public:
  FieldView() = default;
  FieldView(const TypeInfo& type, void* value) : type_(&type), value_(value) {}

  // FieldView::of(args)
  template <class T>
  static FieldView of(T& value) {
    return {type_info<T>, &value};
  }

  explicit operator bool() const { return type_ != nullptr; }
  const TypeInfo& type() const { return *type_; }
  void* value() const { return value_; }

  // The field at `path`; leading names may be left out where what remains is found in one place only. Errors name the
  // part of the path that is wrong and what could stand there.
  Result<FieldView> at(std::string_view path) const;

  // Scalars (numbers, booleans, enums; an array's count through ".count"). nullopt for anything else.
  std::optional<int64_t> as_integer() const;  // as the C++ type holds it; uint64_t above INT64_MAX wraps
  std::optional<uint64_t> as_unsigned() const;
  // Bytes of opaque, fixed_opaque and string.
  std::optional<std::span<const std::byte>> as_bytes() const;

  // Sets a scalar, string or opaque from text: an enumerator's name (also without the part all names of the type
  // share), true/false, decimal, 0x hex, hex:0011aabb or text for opaque and string, bit names joined by '|' for
  // bitmaps. New bytes are put into `arena`. The value may be one the protocol does not allow (enum 99): faults need
  // that. Errors: not a value of this type, does not fit into its width, fixed_opaque of another length.
  Result<void> set(std::string_view text, Arena& arena) const;
  Result<void> set_integer(uint64_t value) const;

  // Makes an array or list `count` long: first items kept, new ones zero. Beyond the protocol's limit is allowed
  // (kMaxResize is not).
  static constexpr size_t kMaxResize = 1u << 16;
  Result<void> resize(size_t count, Arena& arena) const;

  size_t count() const;                // items of an array, list or optional; words of a custom type
  FieldView item(size_t index) const;  // index < count()
  // Fields of a structure; of a union the discriminant and the chosen arm (if it carries something).
  size_t field_count() const;
  FieldView field(size_t index) const;
  std::string_view field_name(size_t index) const;
  // Of a union: the chosen arm, nullptr when it carries nothing (or the discriminant has no arm).
  const FieldInfo* arm() const;

  static constexpr size_t kLineBytes = 400;
  // One line: {loga_iomode=RW loga_offset=0 ...}; long opaques shortened to their length and first bytes.
  std::string to_line(size_t max_bytes = kLineBytes) const;
  void append_line(std::string& out, size_t max_bytes = kLineBytes) const;

 private:
  FieldView(const TypeInfo& type, void* value, bool counts) : type_(&type), value_(value), counts_(counts) {}

  const TypeInfo* type_ = nullptr;
  void* value_ = nullptr;
  bool counts_ = false;  // stands for the count of the array at value_
};

}  // namespace pnfs::xdr
