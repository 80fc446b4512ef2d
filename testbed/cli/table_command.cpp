#include "testbed/cli/table_command.hpp"

#include "testbed/cli/command.hpp"

#include "testbed/live/text.hpp"

namespace pnfs::cli {

namespace {

struct TableOptions {
  std::string state = lab::default_state_folder();
  live::Query query;
  uint64_t fileid = 0;
  std::string client;
  bool as_json = false;
};

int show_table(TableOptions& options) {
  const std::string& name = options.query.table;
  if (!options.client.empty()) {
    char* end = nullptr;
    options.query.client = std::strtoull(options.client.c_str(), &end, 0);
    if (*end != '\0') {
      return report(name, error(Errc::invalid, "'{}' is no client id; `pnfslab clients` shows them", options.client));
    }
  }
  if (options.fileid != 0) options.query.fileid = options.fileid;
  const auto lab = lab::load_state(options.state);
  if (!lab) return report(name, lab.error());
  const auto rows = live::fetch(*lab, options.query);
  if (!rows) return report(name, rows.error());
  if (options.as_json) {
    fmt::print("{}\n", rows->to_json().dump(2));
  } else {
    fmt::print("{}", live::text_of(*lab, *rows));
  }
  return rows->missing.empty() ? 0 : kExitFailed;
}

}  // namespace

void add_table_command(CLI::App& app, Action& action, const TableCommand& command) {
  auto* sub = app.add_subcommand(command.table, command.help);
  auto options = std::make_shared<TableOptions>();
  options->query.table = command.table;
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("--limit", options->query.limit, "Rows of each server")
      ->check(CLI::Range(size_t{1}, live::kMostRows))
      ->capture_default_str();
  if (command.by_file) sub->add_option("--file", options->fileid, "Only this file (its inode number)");
  if (command.by_client) sub->add_option("--client", options->client, "Only this client id");
  sub->add_flag("--json", options->as_json, "Machine-readable (common/live/LIVE.md)");
  sub->callback([options, &action] { action = [options] { return show_table(*options); }; });
}

}  // namespace pnfs::cli
