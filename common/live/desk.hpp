// The tables of one server process by name, and the commands of its control socket that ask for them
// (common/io/listener_inbox.hpp):
//
//   state                                      the names of the tables
//   state TABLE [limit=N] [fileid=N] [client=N]
//
// The answer is one line of JSON: {"version":1,"node":...,"table":...,"total":...,"rows":[...]}; LIVE.md has the rows.
#pragma once

#include <functional>
#include <map>

#include "common/base/result.hpp"
#include "common/live/table.hpp"

namespace pnfs::live {

inline constexpr int kVersion = 1;  // of the rows' names; raised when one changes its meaning or goes

class Desk {
 public:
  explicit Desk(std::string node) : node_(std::move(node)) {}

  using Fill = std::function<void(Table&)>;
  void add(std::string table, Fill fill) { tables_[std::move(table)] = std::move(fill); }

  static bool is_command(std::string_view text) { return text == "state" || text.starts_with("state "); }
  // Errors: invalid (the words), not_found (no such table here).
  Result<std::string> command(std::string_view text) const;

 private:
  std::string node_;
  std::map<std::string, Fill, std::less<>> tables_;
};

}  // namespace pnfs::live
