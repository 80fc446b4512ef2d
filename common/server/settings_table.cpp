#include "common/server/settings_table.hpp"

#include "common/server/options.hpp"

namespace pnfs::server {

SettingsTable::SettingsTable(CLI::App& app, std::string file_table) : app_(app), file_table_(std::move(file_table)) {
  if (file_table_.empty()) return;
  app_.add_option("--config", file_, "TOML file with a table [" + file_table_ + "]; options given here win over it")
      ->type_name("FILE");
}

CLI::Option* SettingsTable::add_choice(const char* option, const char* key, std::string& where,
                                       std::vector<std::string> allowed, std::string help) {
  CLI::Option* typed = app_.add_option(option, where, std::move(help))->check(CLI::IsMember(allowed));
  file_row(typed, where, [key, allowed](ConfigReader& file, std::string& said) {
    file.choice(key, said, {allowed.begin(), allowed.end()});
  });
  return typed;
}

CLI::Option* SettingsTable::add_flag(const char* option, const char* key, bool& where, std::string help) {
  CLI::Option* typed = app_.add_flag(option, where, std::move(help));
  if (key != nullptr) file_row(typed, where, [key](ConfigReader& file, bool& said) { file.value(key, said); });
  return typed;
}

CLI::Option* SettingsTable::add_no_flag(const char* option, const char* key, bool& where, std::string help) {
  CLI::Option* typed = app_.add_flag(option, where, std::move(help));
  file_row(typed, where, [key](ConfigReader& file, bool& said) {
    bool opposite = !said;
    file.value(key, opposite);
    said = !opposite;
  });
  return typed;
}

std::optional<int> SettingsTable::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app_.exit(e);
    return fail(app_.get_name(), error(Errc::invalid, "{} (see --help)", e.what()));
  }
  if (auto read = read_file(); !read) {
    fail(app_.get_name(), read.error());
    return kUsageFailure;
  }
  return std::nullopt;
}

Result<void> SettingsTable::read_file() {
  if (file_.empty()) return {};
  auto file = ConfigFile::load(file_);
  if (!file) return file.error();
  ConfigReader table = file->table(file_table_);
  for (const auto& row : rows_) row(table);
  return file->finish();
}

}  // namespace pnfs::server
