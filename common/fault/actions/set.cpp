// set FIELD=VALUE: change a field, of the arguments before the operation runs, of its result after.
#include <fmt/format.h>

#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Set final : public Action {
 public:
  Set(std::string path, std::string value) : path_(std::move(path)), value_(std::move(value)) {}
  bool apply(Firing& f) const override {
    const auto view = find_changed_field(f.context, path_);
    if (!view || !view->set(value_, *f.context.arena)) return false;
    f.verdict.changed = true;
    return true;
  }

 private:
  std::string path_;
  std::string value_;
};

Result<std::unique_ptr<Action>> parse_set(Words& words, const Place& place) {
  const std::string_view word = words.peek_text();
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return words.fail("FIELD=VALUE was expected after \"set\", for example lo_iomode=READ");
  const std::string path(word.substr(0, equals)), value(word.substr(equals + 1));
  bool is_count = false;
  const auto type = changed_field(words, place, path, &is_count);
  if (!type) return type.error();
  // Tried on a field of its own, so that a value which does not fit is refused now and not when the rule fires.
  if (!is_count) {
    Arena arena;
    void* scratch = arena.allocate((*type)->bytes);
    std::memset(scratch, 0, (*type)->bytes);
    if (const auto ok = xdr::FieldView(**type, scratch).set(value, arena); !ok)
      return words.fail_at(words.peek().column + equals + 1, ok.error().reason);
  }
  words.take();
  return std::unique_ptr<Action>(std::make_unique<Set>(path, value));
}

}  // namespace

extern const ActionKind kSetAction{
    .name = "set",
    .usage = "set FIELD=VALUE",
    .where = "it needs the fields of an operation, callback or control call",
    .example = "after LAYOUTGET do set logr_layout[0].lo_iomode=READ",
    .allowed = &has_fields,
    .parse = &parse_set,
};

}  // namespace pnfs::fault
