// Key and value pairs as one block of bytes, "key=value" ended by a zero byte each: how the runner, its supervisor and
// the guest's init tell one another things. Keys may repeat; values may hold anything but a zero byte. A header alone,
// because the guest's init is linked without the rest of the project.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pnfs::kernel {

class Settings {
 public:
  Settings() = default;

  static Settings parse(std::string_view bytes) {
    Settings settings;
    while (!bytes.empty()) {
      const size_t end = bytes.find('\0');
      const std::string_view item = bytes.substr(0, end);
      const size_t equals = item.find('=');
      if (equals != std::string_view::npos) settings.add(item.substr(0, equals), item.substr(equals + 1));
      bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    }
    return settings;
  }

  std::string bytes() const {
    std::string all;
    for (const auto& [key, value] : items_) all.append(key).append("=").append(value.c_str()).push_back('\0');
    return all;
  }

  void add(std::string_view key, std::string_view value) { items_.emplace_back(key, value); }
  void add(std::string_view key, long long value) { items_.emplace_back(key, std::to_string(value)); }

  // The first value of `key`, or the fallback.
  std::string get(std::string_view key, std::string_view fallback = "") const {
    for (const auto& [name, value] : items_)
      if (name == key) return value;
    return std::string(fallback);
  }
  long long number(std::string_view key, long long fallback = 0) const {
    const std::string text = get(key);
    return text.empty() ? fallback : std::strtoll(text.c_str(), nullptr, 10);
  }
  std::vector<std::string> all(std::string_view key) const {
    std::vector<std::string> values;
    for (const auto& [name, value] : items_)
      if (name == key) values.push_back(value);
    return values;
  }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

}  // namespace pnfs::kernel
