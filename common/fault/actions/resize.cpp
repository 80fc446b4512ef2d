// resize FIELD=COUNT: make an array longer (with zero items) or shorter.
#include "common/fault/action.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

class Resize final : public Action {
 public:
  Resize(std::string path, size_t count) : path_(std::move(path)), count_(count) {}
  bool apply(Firing& f) const override {
    const auto view = find_changed_field(f.context, path_);
    if (!view || !view->resize(count_, *f.context.arena)) return false;
    f.verdict.changed = true;
    return true;
  }

 private:
  std::string path_;
  size_t count_;
};

Result<std::unique_ptr<Action>> parse_resize(Words& words, const Place& place) {
  const std::string_view word = words.peek_text();
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return words.fail("FIELD=COUNT was expected after \"resize\", for example logr_layout=0");
  const std::string path(word.substr(0, equals));
  const auto type = changed_field(words, place, path);
  if (!type) return type.error();
  if ((*type)->items == nullptr || (*type)->kind == xdr::Kind::custom) return words.fail("this field has no count");
  const auto count = xdr::parse_number(word.substr(equals + 1));
  if (!count || *count > xdr::FieldView::kMaxResize || ((*type)->kind == xdr::Kind::optional && *count > 1))
    return words.fail_at(words.peek().column + equals + 1, "a count was expected (at most 65536)");
  words.take();
  return std::unique_ptr<Action>(std::make_unique<Resize>(path, *count));
}

}  // namespace

extern const ActionKind kResizeAction{
    .name = "resize",
    .usage = "resize FIELD=COUNT",
    .where = "it needs the fields of an operation, callback or control call",
    .example = "after LAYOUTGET once do resize logr_layout=0",
    .allowed = &has_fields,
    .parse = &parse_resize,
};

}  // namespace pnfs::fault
