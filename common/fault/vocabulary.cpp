#include "common/fault/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/glob.hpp"
#include "common/base/result.hpp"
#include "common/fault/words.hpp"
#include "common/xdr/field_path.hpp"
#include "common/xdr/field_text.hpp"

namespace pnfs::fault {

namespace {

constexpr xdr::Enumerator kBlockStatuses[] = {
    {"OK", 0},
    {"IO", static_cast<int64_t>(Errc::io)},
    {"TIMEOUT", static_cast<int64_t>(Errc::timeout)},
    {"CLOSED", static_cast<int64_t>(Errc::closed)},
    {"FENCED", static_cast<int64_t>(Errc::fenced)},
    {"NO_SPACE", static_cast<int64_t>(Errc::no_space)},
    {"CORRUPT", static_cast<int64_t>(Errc::corrupt)},
};

constexpr int64_t sense(uint32_t key, uint32_t asc, uint32_t ascq = 0) {
  return 0x02 | key << 8 | asc << 16 | ascq << 24;
}
constexpr xdr::Enumerator kScsiStatuses[] = {
    {"GOOD", 0x00},
    {"BUSY", 0x08},
    {"RESERVATION_CONFLICT", 0x18},
    {"TASK_SET_FULL", 0x28},
    {"TASK_ABORTED", 0x40},
    {"NOT_READY", sense(0x2, 0x04)},               // LOGICAL UNIT NOT READY
    {"READ_ERROR", sense(0x3, 0x11)},              // MEDIUM ERROR, UNRECOVERED READ ERROR
    {"WRITE_ERROR", sense(0x3, 0x0C)},             // MEDIUM ERROR, WRITE ERROR
    {"HARDWARE_ERROR", sense(0x4, 0x44)},          // INTERNAL TARGET FAILURE
    {"LBA_OUT_OF_RANGE", sense(0x5, 0x21)},        // ILLEGAL REQUEST
    {"POWER_ON", sense(0x6, 0x29)},                // UNIT ATTENTION, POWER ON OR RESET
    {"CAPACITY_CHANGED", sense(0x6, 0x2A, 0x09)},  // UNIT ATTENTION
    {"WRITE_PROTECTED", sense(0x7, 0x27)},         // DATA PROTECT
    {"ABORTED_COMMAND", sense(0xB, 0x00)},
};

std::string_view without_prefix(std::string_view pattern, std::optional<Domain>& domain) {
  for (size_t i = 0; i < kDomains; ++i) {
    const std::string_view name = to_string(static_cast<Domain>(i));
    if (pattern.size() > name.size() && pattern[name.size()] == '.' &&
        equal_ignoring_case(pattern.substr(0, name.size()), name)) {
      domain = static_cast<Domain>(i);
      return pattern.substr(name.size() + 1);
    }
  }
  return pattern;
}

}  // namespace

std::string_view to_string(Domain domain) {
  constexpr std::string_view kNames[kDomains] = {"operation", "callback", "control", "block", "scsi", "connection"};
  return kNames[static_cast<size_t>(domain)];
}

std::string_view to_string(Stage stage) {
  constexpr std::string_view kNames[] = {"before", "after", "reply"};
  return kNames[static_cast<size_t>(stage)];
}

bool has_stage(Domain domain, Stage stage) {
  switch (stage) {
    case Stage::before:
      return true;
    case Stage::after:
      return domain != Domain::connection && domain != Domain::scsi;
    case Stage::reply:
      return domain == Domain::operation || domain == Domain::callback;
  }
  return false;
}

std::string full_name(const Point& point) {
  if (point.domain == Domain::operation || point.domain == Domain::callback) return point.name;
  return fmt::format("{}.{}", to_string(point.domain), point.name);
}

std::span<const xdr::Enumerator> scsi_statuses() {
  return kScsiStatuses;
}
std::span<const xdr::Enumerator> block_statuses() {
  return kBlockStatuses;
}

Vocabulary::Vocabulary() {
  for (const char* name : {"READ", "WRITE", "FLUSH", "ZERO", "RESERVE"})
    add({.domain = Domain::block, .name = name, .section = ""});
  for (const char* name : {"CONNECT", "RECORD"}) add({.domain = Domain::connection, .name = name, .section = ""});
  set_statuses(Domain::block, kBlockStatuses);
  set_statuses(Domain::scsi, kScsiStatuses);
}

void Vocabulary::add(Point point) {
  points_.push_back(std::move(point));
}

void Vocabulary::set_statuses(Domain domain, std::span<const xdr::Enumerator> names,
                              std::vector<std::string> prefixes) {
  statuses_[domain] = {names, std::move(prefixes)};
}

std::optional<uint32_t> Vocabulary::status_number(Domain domain, std::string_view text) const {
  if (const auto number = xdr::parse_number(text)) return static_cast<uint32_t>(*number);
  const auto found = statuses_.find(domain);
  if (found == statuses_.end()) return std::nullopt;
  for (const xdr::Enumerator& e : found->second.names) {
    if (equal_ignoring_case(e.name, text)) return static_cast<uint32_t>(e.value);
    for (const std::string& prefix : found->second.prefixes)
      if (e.name.starts_with(prefix) && equal_ignoring_case(e.name.substr(prefix.size()), text))
        return static_cast<uint32_t>(e.value);
  }
  return std::nullopt;
}

std::string Vocabulary::status_name(Domain domain, uint32_t number) const {
  const auto found = statuses_.find(domain);
  if (found != statuses_.end())
    for (const xdr::Enumerator& e : found->second.names)
      if (static_cast<uint32_t>(e.value) == number) return std::string(e.name);
  return fmt::format("{}", number);
}

std::vector<const Point*> Vocabulary::find(std::string_view pattern) const {
  std::optional<Domain> domain;
  const std::string name = upper_case(without_prefix(pattern, domain));
  std::vector<const Point*> found;
  for (const Domain candidate :
       {Domain::operation, Domain::callback, Domain::control, Domain::scsi, Domain::block, Domain::connection}) {
    if (domain ? candidate != *domain : !found.empty()) continue;
    // Block and connection names are too general (READ) to be found without their prefix.
    if (!domain && (candidate == Domain::block || candidate == Domain::connection)) continue;
    for (const Point& point : points_)
      if (point.domain == candidate && glob_match(name, upper_case(point.name))) found.push_back(&point);
  }
  return found;
}

std::string Vocabulary::nearest(std::string_view name) const {
  std::string best;
  size_t distance = 4;
  for (const Point& point : points_) {
    const size_t d = edit_distance(upper_case(name), upper_case(full_name(point)));
    if (d < distance) {
      distance = d;
      best = full_name(point);
    }
  }
  return best;
}

std::vector<std::string> Vocabulary::describe(bool fields) const {
  std::vector<std::string> out;
  for (const Point& point : points_) {
    std::string stages;
    for (const Stage stage : {Stage::before, Stage::after, Stage::reply})
      if (has_stage(point.domain, stage)) stages += fmt::format("{}{}", stages.empty() ? "" : ",", to_string(stage));
    out.push_back(fmt::format("{:<28} {:<20} {}", full_name(point), stages,
                              point.section.empty() ? "" : "RFC 8881 " + point.section));
    while (out.back().ends_with(' ')) out.back().pop_back();
    if (!fields) continue;
    for (const auto& [side, type] : {std::pair{"args", point.args}, std::pair{"res", point.res}})
      if (type != nullptr)
        for (const std::string& path : xdr::all_paths(*type)) out.push_back(fmt::format("    {}.{}", side, path));
  }
  return out;
}

}  // namespace pnfs::fault
