#include "common/fault/condition.hpp"

#include <algorithm>

#include "common/base/glob.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

bool ordered(Compare compare, uint64_t value, uint64_t bound) {
  switch (compare) {
    case Compare::equal:
      return value == bound;
    case Compare::different:
      return value != bound;
    case Compare::less:
      return value < bound;
    case Compare::less_equal:
      return value <= bound;
    case Compare::greater:
      return value > bound;
    case Compare::greater_equal:
      return value >= bound;
    case Compare::contains:
      return (value & bound) == bound;
  }
  return false;
}

// `same(text)` says whether the value equals one alternative.
template <class F>
bool any_of(const Condition& c, F&& same) {
  const bool found = std::ranges::any_of(c.alternatives, same);
  return found == (c.compare != Compare::different);
}

bool text_holds(const Condition& c, std::string_view text) {
  return any_of(c, [&](const std::string& a) {
    return c.compare == Compare::contains ? text.find(a) != std::string_view::npos : glob_match(a, text);
  });
}

bool number_holds(const Condition& c, std::optional<uint64_t> value) {
  if (!value) return false;
  if (c.compare != Compare::equal && c.compare != Compare::different)
    return ordered(c.compare, *value, xdr::parse_number(c.alternatives.front()).value_or(0));
  return any_of(c, [&](const std::string& a) { return xdr::parse_number(a) == value; });
}

bool bytes_hold(const Condition& c, std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return any_of(c, [&](const std::string& a) {
    if (a.starts_with("hex:")) return a.substr(4) == xdr::hex(bytes, bytes.size());
    return c.compare == Compare::contains ? text.find(a) != std::string_view::npos : glob_match(a, text);
  });
}

bool bits_hold(const Condition& c, const xdr::FieldView& view) {
  return any_of(c, [&](const std::string& a) {
    const auto words = xdr::parse_bits(view.type(), a);
    if (!words) return false;
    for (size_t i = 0; i < std::max(words->size(), view.count()); ++i) {
      const uint64_t want = i < words->size() ? (*words)[i] : 0;
      const uint64_t have = i < view.count() ? view.item(i).as_unsigned().value_or(0) : 0;
      if (c.compare == Compare::contains ? (have & want) != want : have != want) return false;
    }
    return true;
  });
}

bool field_holds(const Condition& c, const xdr::FieldView& message) {
  if (!message) return false;
  const auto view = message.at(c.path);
  if (!view) return false;
  if (const auto bytes = view->as_bytes()) return bytes_hold(c, *bytes);
  if (view->as_integer() && view->type().kind != xdr::Kind::custom) {
    const uint64_t value = *view->as_unsigned();
    auto parsed = [&](const std::string& a) { return xdr::parse_scalar(view->type(), a); };
    if (c.compare != Compare::equal && c.compare != Compare::different) {
      const auto bound = parsed(c.alternatives.front());
      return bound && ordered(c.compare, value, *bound);
    }
    return any_of(c, [&](const std::string& a) {
      const auto bound = parsed(a);
      return bound && *bound == value;
    });
  }
  if (view->type().kind == xdr::Kind::custom) return bits_hold(c, *view);
  return false;
}

std::string_view iomode_name(uint64_t iomode) {
  constexpr std::string_view kNames[] = {"?", "READ", "RW", "ANY"};
  return kNames[iomode < 4 ? iomode : 0];
}

// What the caller did not say is looked for in the arguments, by the names that operations have for it.
std::optional<uint64_t> from_args(const Context& context, std::initializer_list<std::string_view> names) {
  if (!context.args) return std::nullopt;
  for (const std::string_view name : names) {
    const auto view = context.args.at(name);
    if (!view) continue;
    if (const auto bytes = view->as_bytes()) return bytes->size();
    if (const auto number = view->as_unsigned()) return number;
  }
  return std::nullopt;
}
std::optional<uint64_t> offset_of(const Context& c) {
  return c.offset ? c.offset : from_args(c, {"offset", "loga_offset", "loca_offset", "lrf_offset", "lor_offset"});
}
std::optional<uint64_t> length_of(const Context& c) {
  return c.length ? c.length
                  : from_args(c, {"count", "length", "data", "loga_length", "loca_length", "lrf_length", "lor_length"});
}
std::optional<uint64_t> iomode_of(const Context& c) {
  if (c.iomode) return *c.iomode;
  return from_args(c, {"loga_iomode", "lora_iomode", "clora_iomode"});
}

bool range_holds(const Condition& c, const Context& context) {
  const auto offset = offset_of(context);
  if (!offset) return false;
  const uint64_t begin = *offset, length = length_of(context).value_or(0);
  const uint64_t end = length > ~uint64_t{0} - begin ? ~uint64_t{0} : begin + length;  // beyond the last byte
  const bool overlaps = begin <= c.last && (end > c.first || begin == c.first);
  return overlaps == (c.compare == Compare::equal);
}

}  // namespace

bool Condition::holds(const Context& context) const {
  switch (source) {
    case Source::client:
      return text_holds(*this, context.client);
    case Source::address:
      return text_holds(*this, context.address);
    case Source::principal:
      return text_holds(*this, context.principal);
    case Source::file:
      return any_of(*this, [&](const std::string& a) {
        return glob_match(a, context.path) || (context.fileid && xdr::parse_number(a) == context.fileid);
      });
    case Source::iomode:
      if (const auto iomode = iomode_of(context))
        return any_of(*this, [&](const std::string& a) {
          return equal_ignoring_case(a, iomode_name(*iomode)) || xdr::parse_number(a) == iomode;
        });
      return false;
    case Source::offset:
      return number_holds(*this, offset_of(context));
    case Source::length:
      return number_holds(*this, length_of(context));
    case Source::range:
      return range_holds(*this, context);
    case Source::compound:
      return any_of(*this, [&](const std::string& a) {
        return std::ranges::any_of(context.compound,
                                   [&](std::string_view op) { return glob_match(upper_case(a), op); });
      });
    case Source::index:
      return number_holds(*this, context.index);
    case Source::minorversion:
      return number_holds(*this, context.minorversion);
    case Source::connection:
      return number_holds(*this, context.connection);
    case Source::status: {
      if (!context.res) return false;
      const xdr::FieldView status = context.res.field_count() > 0 ? context.res.field(0) : context.res;
      return any_of(*this, [&](const std::string& a) {
        const auto number = xdr::parse_scalar(status.type(), a);
        return number && *number == status.as_unsigned();
      });
    }
    case Source::args:
      return field_holds(*this, context.args);
    case Source::res:
      return field_holds(*this, context.res);
  }
  return false;
}

}  // namespace pnfs::fault
