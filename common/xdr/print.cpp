// FieldView::to_line and to_json.
#include <fmt/format.h>

#include <iterator>

#include "common/base/append.hpp"
#include "common/xdr/field_text.hpp"
#include "common/xdr/field_view.hpp"
#include "common/xdr/json.hpp"

namespace pnfs::xdr {

namespace {

constexpr size_t kLineItems = 8;
constexpr size_t kLineOpaque = 16;
constexpr size_t kLineText = 64;
constexpr size_t kJsonItems = 256;
constexpr size_t kJsonBytes = 32;
constexpr size_t kJsonText = 1024;

void append_scalar(std::string& out, FieldView view) {
  const int64_t number = view.as_integer().value_or(0);
  switch (view.type().kind) {
    case Kind::boolean:
      out += number != 0 ? "true" : "false";
      return;
    case Kind::enumeration: {
      const auto name = enumerator_name(view.type(), number);
      if (name.empty()) append_number(out, number);
      out += name;
      return;
    }
    case Kind::u64:
      append_number(out, static_cast<uint64_t>(number));
      return;
    default:
      append_number(out, number);
  }
}

void append_bits(std::string& out, FieldView view) {
  const Sequence words = view.type().items(view.value());
  append_bits(out, view.type(), {static_cast<const uint32_t*>(words.first), words.count});
}

void line(FieldView view, std::string& out, size_t limit);

void named_line(const FieldInfo& info, FieldView of, std::string& out, size_t limit) {
  out += info.name;
  out += '=';
  line({*info.type, info.locate(of.value())}, out, limit);
}

// Stops adding once `out` is over the limit; the caller cuts.
void line(FieldView view, std::string& out, size_t limit) {
  if (out.size() > limit) return;
  switch (view.type().kind) {
    case Kind::opaque:
    case Kind::fixed_opaque:
      append_short_hex(out, view.as_bytes().value_or(std::span<const std::byte>{}), kLineOpaque);
      return;
    case Kind::string:
      append_quoted(out, *static_cast<const std::string_view*>(view.value()), kLineText);
      return;
    case Kind::custom:
      append_bits(out, view);
      return;
    case Kind::array:
    case Kind::list:
    case Kind::optional:
      out += '[';
      for (size_t i = 0; i < view.count() && i < kLineItems; ++i) {
        if (i != 0) out += ' ';
        line(view.item(i), out, limit);
      }
      if (view.count() > kLineItems) fmt::format_to(std::back_inserter(out), " +{}", view.count() - kLineItems);
      out += ']';
      return;
    case Kind::structure: {
      char before = '{';
      for (const FieldInfo& info : view.type().fields) {
        out += before;
        named_line(info, view, out, limit);
        before = ' ';
      }
      out += before == '{' ? "{}" : "}";
      return;
    }
    case Kind::union_:
      out += '{';
      named_line(view.type().fields[0], view, out, limit);
      if (const FieldInfo* arm = view.arm(); arm != nullptr) {
        out += ' ';
        named_line(*arm, view, out, limit);
      }
      out += '}';
      return;
    default:
      append_scalar(out, view);
  }
}

nlohmann::json bytes_json(std::span<const std::byte> bytes) {
  if (bytes.size() <= kJsonBytes) return hex(bytes, kJsonBytes);
  return {{"bytes", bytes.size()}, {"first", hex(bytes.first(kJsonBytes), kJsonBytes)}};
}

nlohmann::json bits_json(FieldView view) {
  std::string out;
  append_bits(out, view);
  return out;
}

nlohmann::json text_json(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
  if (plain && text.size() <= kJsonText) return std::string(text);
  std::string out;
  append_quoted(out, text, kJsonText);
  return out;
}

}  // namespace

void FieldView::append_line(std::string& out, size_t max_bytes) const {
  if (counts_) return append_number(out, count());
  const size_t limit = out.size() + max_bytes;
  line(*this, out, limit);
  if (out.size() <= limit) return;
  out.resize(limit);
  out += "...";
}

std::string FieldView::to_line(size_t max_bytes) const {
  std::string out;
  out.reserve(std::min<size_t>(max_bytes, 192));  // most are shorter
  append_line(out, max_bytes);
  return out;
}

nlohmann::json to_json(const FieldView& view) {
  switch (view.type().kind) {
    case Kind::opaque:
    case Kind::fixed_opaque:
      return bytes_json(view.as_bytes().value_or(std::span<const std::byte>{}));
    case Kind::string:
      return text_json(*static_cast<const std::string_view*>(view.value()));
    case Kind::custom:
      return bits_json(view);
    case Kind::boolean:
      return view.as_integer() == 1;
    case Kind::enumeration: {
      const auto name = enumerator_name(view.type(), view.as_integer().value_or(0));
      if (!name.empty()) return std::string(name);
      return view.as_unsigned().value_or(0);
    }
    case Kind::u32:
    case Kind::u64:
      return view.as_unsigned().value_or(0);
    case Kind::i32:
    case Kind::i64:
      return view.as_integer().value_or(0);
    case Kind::array:
    case Kind::list:
    case Kind::optional: {
      auto out = nlohmann::json::array();
      for (size_t i = 0; i < view.count() && i < kJsonItems; ++i) out.push_back(to_json(view.item(i)));
      if (view.count() > kJsonItems) out.push_back(fmt::format("+{} more", view.count() - kJsonItems));
      return out;
    }
    case Kind::structure:
    case Kind::union_: {
      auto out = nlohmann::json::object();
      for (size_t i = 0; i < view.field_count(); ++i) out[std::string(view.field_name(i))] = to_json(view.field(i));
      return out;
    }
  }
  return nullptr;
}

}  // namespace pnfs::xdr
