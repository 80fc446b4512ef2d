#include "common/live/metrics.hpp"

#include <fmt/format.h>

#include <iterator>

namespace pnfs::live {

namespace {

// OpenMetrics 1.0, "Escaping": backslash, quote and line feed.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

void Metrics::begin(std::string_view type, std::string_view name, std::string_view help, std::string_view unit) {
  family_ = name;
  auto out = std::back_inserter(text_);
  fmt::format_to(out, "# TYPE {} {}\n", name, type);
  if (!unit.empty()) fmt::format_to(out, "# UNIT {} {}\n", name, unit);
  fmt::format_to(out, "# HELP {} {}\n", name, escaped(help));
}

void Metrics::counter(std::string_view name, std::string_view help, std::string_view unit) {
  begin("counter", name, help, unit);
  suffix_ = "_total";
}

void Metrics::gauge(std::string_view name, std::string_view help, std::string_view unit) {
  begin("gauge", name, help, unit);
  suffix_.clear();
}

void Metrics::name_and_labels(Labels labels) {
  auto out = std::back_inserter(text_);
  fmt::format_to(out, "{}{}{{node=\"{}\"", family_, suffix_, escaped(node_));
  for (const auto& [name, value] : labels) fmt::format_to(out, ",{}=\"{}\"", name, escaped(value));
  text_ += "} ";
}

void Metrics::sample(Labels labels, uint64_t value) {
  name_and_labels(labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Metrics::sample(Labels labels, double value) {
  name_and_labels(labels);
  fmt::format_to(std::back_inserter(text_), "{:.6f}\n", value);
}

std::string Metrics::finish() && {
  text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace pnfs::live
