// stale FIELD: a value as an earlier instance of the server, device, session or state would have given it: the bits of
// a fixed opaque (verifier, session, device, stateid.other) turned over, the sequence id of a stateid and any number
// one lower. Always the same for the same true value.
#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

bool make_stale(const xdr::FieldView& view, Arena& arena) {
  switch (view.type().kind) {
    case xdr::Kind::structure:  // a stateid by its seqid; anything else by its first field
      return view.field_count() > 0 && make_stale(view.field(0), arena);
    case xdr::Kind::fixed_opaque: {
      auto* bytes = static_cast<std::byte*>(view.value());
      for (uint32_t i = 0; i < view.type().max; ++i) bytes[i] = ~bytes[i];
      return true;
    }
    case xdr::Kind::opaque: {
      auto& bytes = *static_cast<std::span<const std::byte>*>(view.value());
      if (bytes.empty()) return false;
      auto copy = arena.copy(bytes);
      for (std::byte& b : copy) b = ~b;
      bytes = copy;
      return true;
    }
    case xdr::Kind::u32:
    case xdr::Kind::u64:
    case xdr::Kind::i64:
    case xdr::Kind::i32: {
      const auto number = view.as_unsigned();
      const bool narrow = view.type().kind == xdr::Kind::u32;
      return number && view.set_integer(narrow ? (*number - 1) & 0xffffffff : *number - 1).has_value();
    }
    default:
      return false;
  }
}

class Stale final : public Action {
 public:
  explicit Stale(std::string path) : path_(std::move(path)) {}
  bool apply(Firing& f) const override {
    const auto view = find_changed_field(f.context, path_);
    if (!view || !make_stale(*view, *f.context.arena)) return false;
    f.verdict.changed = true;
    return true;
  }

 private:
  std::string path_;
};

Result<std::unique_ptr<Action>> parse_stale(Words& words, const Place& place) {
  if (words.at_end()) return words.fail("a field was expected after \"stale\", for example writeverf");
  const std::string path(words.peek_text());
  const auto type = changed_field(words, place, path);
  if (!type) return type.error();
  switch ((*type)->kind) {
    case xdr::Kind::boolean:
    case xdr::Kind::enumeration:
    case xdr::Kind::string:
    case xdr::Kind::array:
    case xdr::Kind::list:
    case xdr::Kind::optional:
    case xdr::Kind::union_:
    case xdr::Kind::custom:
      return words.fail("only a verifier, stateid, session, device, opaque or number can be stale");
    default:
      break;
  }
  words.take();
  return std::unique_ptr<Action>(std::make_unique<Stale>(path));
}

}  // namespace

extern const ActionKind kStaleAction{
    .name = "stale",
    .usage = "stale FIELD",
    .where = "it needs the fields of an operation, callback or control call",
    .example = "on ds1 after COMMIT once do stale writeverf",
    .allowed = &has_fields,
    .parse = &parse_stale,
};

}  // namespace pnfs::fault
