// Text in the OpenMetrics 1.0 format, put together family by family.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace pnfs::live {

inline constexpr std::string_view kMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

class Metrics {
 public:
  // `node` goes into every sample as a label.
  explicit Metrics(std::string node) : node_(std::move(node)) {}

  // Begins a family; the samples that follow are its. A counter's name is given without "_total"; a unit must be the end
  // of the name ("_bytes" of "pnfslab_operation_bytes").
  void counter(std::string_view name, std::string_view help, std::string_view unit = {});
  void gauge(std::string_view name, std::string_view help, std::string_view unit = {});

  using Labels = std::initializer_list<std::pair<std::string_view, std::string>>;
  void sample(Labels labels, uint64_t value);
  void sample(Labels labels, double value);
  void sample(uint64_t value) { sample({}, value); }

  // With the end mark; nothing may be added any more.
  std::string finish() &&;

 private:
  void begin(std::string_view type, std::string_view name, std::string_view help, std::string_view unit);
  void name_and_labels(Labels labels);

  std::string node_;
  std::string family_;
  std::string suffix_;
  std::string text_;
};

}  // namespace pnfs::live
