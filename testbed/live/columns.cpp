#include "testbed/live/text.hpp"

namespace pnfs::live {

Columns::Columns(std::vector<std::string> heads) : heads_(std::move(heads)) {
  for (std::string& head : heads_) {
    right_.push_back(head.starts_with('>'));
    if (right_.back()) head.erase(0, 1);
  }
}

std::string Columns::text(size_t indent) const {
  std::vector<size_t> widths(heads_.size(), 0);
  auto widen = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  widen(heads_);
  for (const auto& row : rows_) widen(row);
  std::string out;
  auto print = [&](const std::vector<std::string>& cells) {
    std::string line(indent, ' ');
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string& text = i < cells.size() ? cells[i] : std::string();
      line += right_[i] ? fmt::format("{:>{}}", text, widths[i]) : fmt::format("{:<{}}", text, widths[i]);
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  print(heads_);
  for (const auto& row : rows_) print(row);
  return out;
}

std::string cell(const Row& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_string()) return found->get<std::string>().empty() ? "-" : found->get<std::string>();
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  if (found->is_number_float()) return fmt::format("{:.1f}", found->get<double>());
  if (found->is_array()) return join(*found);
  return found->dump();
}

std::string join(const Row& list, std::string_view between) {
  std::string out;
  for (const Row& each : list) {
    if (!out.empty()) out += between;
    out += each.is_string() ? each.get<std::string>() : each.dump();
  }
  return out.empty() ? "-" : out;
}

std::string human_bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < std::size(kUnits)) amount /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

std::string human_range(const Row& row) {
  const uint64_t offset = row.value("offset", uint64_t{0});
  const auto length = row.find("length");
  const auto end = row.find("end");
  std::optional<uint64_t> bytes;
  if (length != row.end() && length->is_number()) bytes = length->get<uint64_t>();
  if (end != row.end() && end->is_number()) bytes = end->get<uint64_t>() - offset;
  if (!bytes) return offset == 0 ? "all" : fmt::format("{} to end", offset);
  return fmt::format("{}+{}", offset, *bytes);
}

std::string remarks(const Rows& rows) {
  std::string out;
  if (rows.rows.size() < rows.total)
    out += fmt::format("({} of {} rows; --limit shows more)\n", rows.rows.size(), rows.total);
  for (const Missing& each : rows.missing) out += fmt::format("({} did not answer: {})\n", each.node, each.reason);
  return out;
}

}  // namespace pnfs::live
