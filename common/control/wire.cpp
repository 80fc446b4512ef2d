#include "common/control/wire.hpp"

#include <algorithm>

namespace pnfs::control {

ctl_range to_wire(const ByteRange& range) {
  return {range.offset, range.end == kToEnd ? UINT64_MAX : range.length()};
}

ByteRange from_wire(const ctl_range& range) {
  return range_of(range.offset, range.length);
}

std::span<ctl_range> to_wire(std::span<const ByteRange> ranges, Arena& arena) {
  const auto out = arena.make_array<ctl_range>(ranges.size());
  std::transform(ranges.begin(), ranges.end(), out.begin(), [](const ByteRange& range) { return to_wire(range); });
  return out;
}

ctl_stripe_set to_wire(const StripeSet& set, Arena& arena) {
  ctl_stripe_set out;
  out.window = to_wire(set.window);
  out.unit_bytes = set.unit_bytes;
  out.count = set.count;
  out.pattern_offset = set.pattern_offset;
  out.first_index = set.first_index;
  out.indices.items = arena.make_array<uint32_t>(set.indices.size());
  std::copy(set.indices.begin(), set.indices.end(), out.indices.items.begin());
  return out;
}

StripeSet from_wire(const ctl_stripe_set& set) {
  return {.window = from_wire(set.window),
          .unit_bytes = set.unit_bytes,
          .count = set.count,
          .pattern_offset = set.pattern_offset,
          .first_index = set.first_index,
          .indices = std::vector<uint32_t>(set.indices.begin(), set.indices.end())};
}

std::string_view to_string(control_status status) {
  for (const auto& name : xdr::enumerators<control_status>())
    if (name.value == static_cast<int64_t>(status)) return name.name;
  return "unknown control status";
}

std::unique_ptr<rpc::Call> new_call(control_proc proc, uint64_t cause) {
  rpc::Credential credential;
  if (cause != 0) {
    credential = rpc::Credential::sys(0, 0);
    credential.stamp = static_cast<uint32_t>(cause);
  }
  return std::make_unique<rpc::Call>(kControlProgram, kControlVersion, proc, credential);
}

}  // namespace pnfs::control
