#include "common/xdr/field_path.hpp"

#include <fmt/format.h>

#include <vector>

#include "common/xdr/field_text.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::xdr {

namespace {

constexpr int kMaxDepth = 12;

bool has_items(const TypeInfo& type) {
  return type.items != nullptr;
}

const TypeInfo& element_of(const TypeInfo& type) {
  return type.element != nullptr ? *type.element : type_info<uint32_t>;
}

bool is_compound(const TypeInfo& type) {
  return type.kind == Kind::structure || type.kind == Kind::union_;
}

// Where a name may be: in the value itself, or, when no field there has the name, one level further down, and so on;
// arrays are not entered. The same search over a type (every arm) and over a value (the chosen arm only).
void find_types(const TypeInfo& type, std::string_view name, int depth, std::vector<const TypeInfo*>& found) {
  if (!is_compound(type)) return;
  for (const FieldInfo& f : type.fields) {
    if (f.type == nullptr) continue;
    if (depth == 0) {
      if (f.name == name && (found.empty() || found.back() != f.type)) found.push_back(f.type);
    } else {
      find_types(*f.type, name, depth - 1, found);
    }
  }
}

void find_values(FieldView view, std::string_view name, int depth, std::vector<FieldView>& found) {
  for (size_t i = 0; i < view.field_count(); ++i) {
    if (depth > 0) {
      find_values(view.field(i), name, depth - 1, found);
    } else if (view.field_name(i) == name) {
      found.push_back(view.field(i));
    }
  }
}

std::string field_names(const TypeInfo& type) {
  std::string out;
  for (const FieldInfo& f : type.fields)
    if (f.type != nullptr) out += (out.empty() ? "" : ", ") + std::string(f.name);
  return out.empty() ? "none" : out;
}

Error no_such_name(const TypeInfo& type, std::string_view name) {
  return error(Errc::not_found, "{} has no field \"{}\"; its fields: {}", type.name, name, field_names(type));
}

Error ambiguous_name(const TypeInfo& type, std::string_view name) {
  return error(Errc::invalid, "\"{}\" is in several places of {}; write the whole path", name, type.name);
}

}  // namespace

Result<std::optional<PathStep>> next_step(std::string_view& path) {
  if (path.empty()) return std::optional<PathStep>{};
  if (path.front() == '[') {
    const size_t end = path.find(']');
    const auto number = end == std::string_view::npos ? std::nullopt : parse_number(path.substr(1, end - 1));
    if (!number) return error(Errc::invalid, "\"{}\": an index like [0] was expected", path);
    path.remove_prefix(end + 1);
    if (path.starts_with('.')) path.remove_prefix(1);
    return std::optional(PathStep{PathStep::Kind::index, {}, static_cast<size_t>(*number)});
  }
  const size_t end = std::min(path.find_first_of(".["), path.size());
  const std::string_view name = path.substr(0, end);
  if (name.empty()) return error(Errc::invalid, "\"{}\": a field name was expected", path);
  path.remove_prefix(end);
  if (path.starts_with('.')) {
    path.remove_prefix(1);
    if (path.empty()) return error(Errc::invalid, "a field name was expected after \"{}.\"", name);
  }
  return std::optional(PathStep{PathStep::Kind::name, name, 0});
}

Result<const TypeInfo*> resolve_path(const TypeInfo& type, std::string_view path, bool* is_count) {
  const TypeInfo* at = &type;
  if (is_count != nullptr) *is_count = false;
  for (;;) {
    const auto step = next_step(path);
    if (!step) return step.error();
    if (!*step) return at;
    if ((*step)->kind == PathStep::Kind::index) {
      if (!has_items(*at)) return error(Errc::invalid, "{} has no items, [{}] is not in it", at->name, (*step)->index);
      at = &element_of(*at);
      continue;
    }
    if ((*step)->name == "count" && has_items(*at)) {
      if (!path.empty()) return error(Errc::invalid, "nothing can follow \"count\"");
      if (is_count != nullptr) *is_count = true;
      return at;
    }
    std::vector<const TypeInfo*> found;
    for (int depth = 0; depth < kMaxDepth && found.empty(); ++depth) find_types(*at, (*step)->name, depth, found);
    if (found.empty()) return no_such_name(*at, (*step)->name);
    if (found.size() > 1) return ambiguous_name(*at, (*step)->name);
    at = found.front();
  }
}

Result<FieldView> FieldView::at(std::string_view path) const {
  FieldView here = *this;
  for (;;) {
    const auto step = next_step(path);
    if (!step) return step.error();
    if (!*step) return here;
    if ((*step)->kind == PathStep::Kind::index) {
      if (!has_items(*here.type_)) return error(Errc::invalid, "{} has no items", here.type_->name);
      if ((*step)->index >= here.count())
        return error(Errc::not_found, "[{}] is not there, {} has {} items", (*step)->index, here.type_->name,
                     here.count());
      here = here.item((*step)->index);
      continue;
    }
    if ((*step)->name == "count" && has_items(*here.type_)) {
      if (!path.empty()) return error(Errc::invalid, "nothing can follow \"count\"");
      return FieldView(*here.type_, here.value_, true);
    }
    std::vector<FieldView> found;
    for (int depth = 0; depth < kMaxDepth && found.empty(); ++depth) find_values(here, (*step)->name, depth, found);
    if (found.size() > 1) return ambiguous_name(*here.type_, (*step)->name);
    if (found.empty()) {
      const auto exists = resolve_path(*here.type_, (*step)->name);
      if (!exists) return exists.error();
      return error(Errc::not_found, "\"{}\" is in an arm of {} that is not chosen", (*step)->name, here.type_->name);
    }
    here = found.front();
  }
}

namespace {

void collect(const TypeInfo& type, const std::string& prefix, int depth, std::vector<std::string>& out) {
  if (depth > kMaxDepth) return;
  if (type.element != nullptr) {
    out.push_back(prefix + ".count");
    if (is_compound(*type.element)) {
      collect(*type.element, prefix + "[]", depth + 1, out);
    } else {
      out.push_back(prefix + "[]");
    }
    return;
  }
  if (!is_compound(type)) {
    if (!prefix.empty()) out.push_back(prefix);
    return;
  }
  std::vector<std::string_view> seen;  // an arm may be listed for several discriminants
  for (const FieldInfo& f : type.fields) {
    if (f.type == nullptr || std::ranges::find(seen, f.name) != seen.end()) continue;
    seen.push_back(f.name);
    collect(*f.type, prefix.empty() ? std::string(f.name) : prefix + "." + std::string(f.name), depth + 1, out);
  }
}

}  // namespace

std::vector<std::string> all_paths(const TypeInfo& type) {
  std::vector<std::string> out;
  collect(type, "", 0, out);
  return out;
}

}  // namespace pnfs::xdr
