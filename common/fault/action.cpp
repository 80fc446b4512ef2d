#include "common/fault/action.hpp"

#include <fmt/format.h>

#include "common/xdr/field_path.hpp"

namespace pnfs::fault {

extern const ActionKind kReturnAction, kDelayAction, kDropAction, kCloseAction, kResetAction, kRefuseAction,
    kBlackHoleAction, kDuplicateAction, kReorderAction, kSetAction, kResizeAction, kStaleAction, kCorruptAction,
    kTruncateAction, kPadAction, kLieAction, kShortAction, kTornAction, kLoseCacheAction, kLogoutAction, kRecallAction,
    kNotifyAction, kRestartAction, kHangAction, kKillAction;

namespace {

constexpr const ActionKind* kKinds[] = {
    &kReturnAction, &kDelayAction,     &kDropAction,      &kCloseAction,     &kResetAction,
    &kRefuseAction, &kBlackHoleAction, &kDuplicateAction, &kReorderAction,   &kSetAction,
    &kResizeAction, &kStaleAction,     &kCorruptAction,   &kTruncateAction,  &kPadAction,
    &kLieAction,    &kShortAction,     &kTornAction,      &kLoseCacheAction, &kLogoutAction,
    &kRecallAction, &kNotifyAction,    &kRestartAction,   &kHangAction,      &kKillAction,
};

std::string usages() {
  std::string out;
  for (const ActionKind* kind : kKinds) out += fmt::format("{}{}", out.empty() ? "" : ", ", kind->name);
  return out;
}

// Results may be named with or without "res.", arguments with or without "args.".
std::string_view without_side(std::string_view path, Stage stage) {
  const std::string_view side = stage == Stage::before ? "args." : "res.";
  return path.starts_with(side) ? path.substr(side.size()) : path;
}

}  // namespace

std::span<const ActionKind* const> action_kinds() {
  return kKinds;
}

Result<std::unique_ptr<Action>> parse_action(Words& words, const Place& place) {
  if (words.at_end()) return words.fail(fmt::format("an action was expected: {}", usages()));
  for (const ActionKind* kind : kKinds) {
    if (!equal_ignoring_case(words.peek().text, kind->name)) continue;
    if (!kind->allowed(place))
      return words.fail(fmt::format("\"{}\" is not possible {} {}: {}", kind->name, to_string(place.stage),
                                    full_name(*place.points.front()), kind->where));
    words.take();
    return kind->parse(words, place);
  }
  return words.fail(fmt::format("\"{}\" is no action; actions: {}", words.peek().text, usages()));
}

Result<const xdr::TypeInfo*> changed_field(const Words& words, const Place& place, std::string_view path,
                                           bool* is_count) {
  const std::string_view field = without_side(path, place.stage);
  const xdr::TypeInfo* found = nullptr;
  for (const Point* point : place.points) {
    const xdr::TypeInfo* message = place.stage == Stage::before ? point->args : point->res;
    if (message == nullptr)
      return words.fail(fmt::format("{} has no {}", full_name(*point),
                                    place.stage == Stage::before ? "arguments to change" : "results to change"));
    const auto type = xdr::resolve_path(*message, field, is_count);
    if (!type) {
      const bool in_result =
          place.stage == Stage::before && point->res != nullptr && xdr::resolve_path(*point->res, field);
      return words.fail(in_result ? fmt::format("{} is in the result; write \"after {}\"", field, full_name(*point))
                                  : type.error().reason);
    }
    found = *type;
  }
  return found;
}

std::optional<xdr::FieldView> find_changed_field(const Context& context, std::string_view path) {
  const xdr::FieldView& message = context.stage == Stage::before ? context.args : context.res;
  if (!message || context.arena == nullptr) return std::nullopt;
  const auto view = message.at(without_side(path, context.stage));
  if (!view) return std::nullopt;
  return *view;
}

bool has_fields(const Place& place) {
  return place.stage != Stage::reply && (place.domain() == Domain::operation || place.domain() == Domain::callback ||
                                         place.domain() == Domain::control);
}

bool has_bytes(const Place& place) {
  return place.stage == Stage::reply ||
         (place.domain() == Domain::connection && place.points.front()->name == "RECORD");
}

bool has_connection(const Place& place) {
  return place.domain() != Domain::block;
}

}  // namespace pnfs::fault
