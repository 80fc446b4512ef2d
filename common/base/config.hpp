// Reads a TOML configuration file into option structs. Whoever owns the options names each key once:
//
//   auto file = ConfigFile::load(path);
//   ConfigReader mds = file->table("mds");
//   mds.value("lease_seconds", options.lease_seconds, 1, 3600);
//   mds.value("profile", options.profile);
//   if (auto done = file->finish(); !done) return done.error();   // "lab.toml:7: mds.lease_secnods: unknown key ..."
//
// finish() reports the first problem (wrong type, out of range, unknown key) with file, line and key. Nothing is
// half applied that the caller would use: it stops on an error.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs {

class ConfigFile;

// One table of the file. Keys that are absent leave the option as it was.
class ConfigReader {
 public:
  void value(std::string_view key, std::string& out);
  void value(std::string_view key, bool& out);
  void value(std::string_view key, std::vector<std::string>& out);
  template <class Integer>
  requires std::is_integral_v<Integer>
  void value(std::string_view key, Integer& out, int64_t min = 0,
             int64_t max = std::numeric_limits<Integer>::max() > std::numeric_limits<int64_t>::max()
                               ? std::numeric_limits<int64_t>::max()
                               : static_cast<int64_t>(std::numeric_limits<Integer>::max())) {
    int64_t wide = static_cast<int64_t>(out);
    if (integer(key, wide, min, max)) out = static_cast<Integer>(wide);
  }
  // The text must be one of `allowed`.
  void choice(std::string_view key, std::string& out, std::vector<std::string_view> allowed);
  bool present() const { return table_ != nullptr; }

 private:
  friend class ConfigFile;
  ConfigReader(ConfigFile& file, std::string name, const void* table)
      : file_(&file), name_(std::move(name)), table_(table) {}
  bool integer(std::string_view key, int64_t& out, int64_t min, int64_t max);
  const void* find(std::string_view key);

  ConfigFile* file_;
  std::string name_;
  const void* table_;  // a toml::table; kept out of this header
};

class ConfigFile {
 public:
  // Errors: not_found, invalid (with line and column).
  static Result<ConfigFile> load(const std::string& path);
  static Result<ConfigFile> parse(std::string_view text, std::string name);
  ConfigFile(ConfigFile&&) noexcept;
  ConfigFile& operator=(ConfigFile&&) noexcept;
  ~ConfigFile();

  // "" is the top of the file. A table that is absent reads as empty.
  ConfigReader table(const std::string& name);
  Result<void> finish();

 private:
  friend class ConfigReader;
  struct State;
  explicit ConfigFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pnfs
