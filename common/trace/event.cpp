#include "common/trace/event.hpp"

#include <array>

namespace pnfs::trace {

namespace {
constexpr std::array<std::string_view, 8> kKinds = {"op",    "callback", "control", "fault",
                                                    "state", "scsi",     "rpc",     "net"};

// The fields of two events side by side: the second each_field runs inside the first, picked by name.
template <class From, class To>
void copy_fields(const From& from, To& to) {
  to.kind = from.kind;
  to.ts = from.ts;
  each_field(from, [&](std::string_view name, const auto& source) {
    each_field(to, [&](std::string_view other, auto& target) {
      if constexpr (requires { target = source; }) {
        if (name == other) target = source;
      } else if constexpr (requires { target = std::string(source); }) {
        if (name == other) target = std::string(source);
      }
    });
  });
}

}  // namespace

std::string_view to_string(Kind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

std::optional<Kind> kind_from_string(std::string_view name) {
  for (size_t i = 0; i < kKinds.size(); ++i)
    if (kKinds[i] == name) return static_cast<Kind>(i);
  return std::nullopt;
}

OwnedEvent to_owned(const Event& event) {
  OwnedEvent owned;
  copy_fields(event, owned);
  if (owned.args.empty() && event.args_of) owned.args = event.args_of.to_line();
  if (owned.res.empty() && event.res_of) owned.res = event.res_of.to_line();
  return owned;
}

Event to_view(const OwnedEvent& event) {
  Event view;
  copy_fields(event, view);
  return view;
}

}  // namespace pnfs::trace
