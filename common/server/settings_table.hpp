// What may be said to a server, each thing in one place: an option of its command line, and a key of its table in a
// configuration file. The command line wins over the file, the file over the defaults.
//
//   SettingsTable table(app, "mds");
//   table.add("--lease-seconds", "lease_seconds", settings.lease_seconds, 1, 3600, "NFS lease time");
//   if (auto code = table.parse(argc, argv)) return *code;
//
// The variables that rows name outlive the table.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/base/config.hpp"

namespace pnfs::server {

class SettingsTable {
 public:
  // Without a name of a table there is no --config, and keys mean nothing.
  explicit SettingsTable(CLI::App& app, std::string file_table = {});

  // Without a key (null) only the command line can say it.
  template <class T>
  CLI::Option* add(const char* option, const char* key, T& where, std::string help) {
    CLI::Option* typed = app_.add_option(option, where, std::move(help));
    if (key != nullptr) file_row(typed, where, [key](ConfigReader& file, T& said) { file.value(key, said); });
    return typed;
  }
  template <class T>
  CLI::Option* add(const char* option, const char* key, T& where, std::type_identity_t<T> least,
                   std::type_identity_t<T> most, std::string help) {
    CLI::Option* typed = app_.add_option(option, where, std::move(help))->check(CLI::Range(least, most));
    file_row(typed, where, [=](ConfigReader& file, T& said) { file.value(key, said, least, most); });
    return typed;
  }
  CLI::Option* add_choice(const char* option, const char* key, std::string& where, std::vector<std::string> allowed,
                          std::string help);
  CLI::Option* add_flag(const char* option, const char* key, bool& where, std::string help);
  // The file says the opposite: --no-delegations is delegations = false.
  CLI::Option* add_no_flag(const char* option, const char* key, bool& where, std::string help);
  // A number that only the file sets.
  template <class T>
  void add_key(const char* key, T& where, int64_t least, int64_t most) {
    rows_.push_back([=, &where](ConfigReader& file) { file.value(key, where, least, most); });
  }

  // The command line, then the file. The exit code when the process ends here: help was asked for, or something is
  // wrong and was said.
  std::optional<int> parse(int argc, char** argv);

 private:
  Result<void> read_file();

  template <class T, class Read>
  void file_row(CLI::Option* typed, T& where, Read read) {
    rows_.push_back([=, &where](ConfigReader& file) {
      T said = where;
      read(file, said);
      if (typed->count() == 0) where = std::move(said);
    });
  }

  CLI::App& app_;
  std::string file_table_;
  std::string file_;
  std::vector<std::function<void(ConfigReader&)>> rows_;
};

}  // namespace pnfs::server
